"""What a trainer needs to run the course for a room: timetable, slides, quiz, feedback, marks, certificate."""
