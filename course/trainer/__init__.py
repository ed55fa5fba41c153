"""For a trainer: timetables, slides, quiz and feedback, marks. For a learner: a certificate."""
