"""The operator's use cases: functions of a connection, that answer in wire types and refuse in sentences.

A function that changes something runs inside a writing transaction (`Writer.submit` in the server, `database.immediate` without
one) and tells every worker by raising the catalogue's version in it. Time, randomness and the vault come in as arguments.
The rule a newcomer would break: an operation may be run twice by the writer, so it keeps nothing but in the database.
"""
