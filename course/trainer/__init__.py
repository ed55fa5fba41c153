"""For a trainer: timetables, slides, quiz and feedback, marks for universities; for a learner: a certificate."""
