"""What a person watches: films and pictures drawn off-screen, and a page that replays."""
