"""The JSON that programs read: each object is the struct that its schema is made from."""
