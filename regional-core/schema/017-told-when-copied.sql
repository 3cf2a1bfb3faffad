-- Sessions are told when the copies have them, not before: a fail-over that lost one would leave
-- everybody with another closing time than the database has.
GRANT EXECUTE ON FUNCTION votes.copies_mark, votes.copies_with TO publisher;
