"""What a trainer needs to run the course for a room: timetables, and slides made from the labs themselves."""
