"""Pictures: who is where, before what, seen by which camera."""
