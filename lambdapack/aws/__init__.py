"""AWS through boto3, which only this room imports; the room is imported only when a command needs AWS."""
