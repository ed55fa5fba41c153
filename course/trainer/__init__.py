"""What a trainer needs to run the course for a room: timetables, slides, quiz, feedback, marks, certificates."""
