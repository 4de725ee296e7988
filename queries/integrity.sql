-- title: Integrity
-- about: Does the snapshot hold what was exported? The run's own reconciliation, then the table against the manifest and
-- about: the log, then ids that are missing or repeated. Pinpoint itself exports repeated ids: they are kept, and of
-- about: level `warn`; where a check of level `error` does not hold, the data are not those that were read.
-- check: ok OR level <> 'error' error  Pieces and rows do not add up
-- check: ok OR level <> 'warn' warn  Some ids are missing, or occur more than once

WITH piece_counts AS (
    SELECT piece, count(*) AS endpoints, min(line) AS first_line, max(line) AS last_line
    FROM endpoints
    GROUP BY piece
),

-- A piece is on either side, or on both.
compared AS (
    SELECT
        p.piece AS listed,
        c.piece AS found,
        coalesce(p.rows, 0) AS listed_rows,
        coalesce(c.endpoints, 0) AS found_rows,
        coalesce(c.first_line >= 1 AND c.last_line <= p.lines, c.piece IS NULL) AS within
    FROM pieces AS p
    FULL JOIN piece_counts AS c ON c.piece = p.piece
),

by_piece AS (
    SELECT
        count(listed) AS listed_pieces,
        count(found) AS found_pieces,
        coalesce(sum(listed_rows), 0) AS listed_rows,
        coalesce(sum(found_rows), 0) AS found_rows,
        count(*) FILTER (WHERE listed IS NOT NULL AND found IS NOT NULL) AS known_pieces,
        count(*) FILTER (WHERE listed IS NOT NULL AND listed_rows = found_rows) AS whole_pieces,
        count(*) FILTER (WHERE found IS NOT NULL AND within) AS pieces_within
    FROM compared
),

logged AS (
    SELECT coalesce(sum(s.rows), 0) AS logged_rows
    FROM snapshots AS s
    INNER JOIN (SELECT max(snapshot) AS snapshot FROM endpoints) AS chosen ON chosen.snapshot = s.snapshot
),

places AS (
    SELECT coalesce(sum(repeats), 0) AS repeated_places
    FROM (SELECT count(*) - 1 AS repeats FROM endpoints GROUP BY piece, line HAVING count(*) > 1)
),

ids_of_pieces AS (
    SELECT id, piece, count(*) AS endpoints FROM endpoints GROUP BY id, piece
),

ids AS (
    SELECT id, count(*) AS pieces, max(endpoints) AS most, sum(endpoints) AS endpoints FROM ids_of_pieces GROUP BY id
),

identity AS (
    SELECT
        count(*) FILTER (WHERE id IS NOT NULL AND pieces > 1) AS in_several_pieces,
        count(*) FILTER (WHERE id IS NOT NULL AND most > 1) AS twice_in_a_piece,
        coalesce(sum(endpoints) FILTER (WHERE id IS NULL), 0) AS missing
    FROM ids
),

checks AS (
    SELECT unnest(make_array(
        named_struct('place', 2, 'name', 'rows in the table = rows in its log', 'expected', logged_rows, 'actual', found_rows, 'level', 'error'),
        named_struct('place', 3, 'name', 'rows in the table = rows of the pieces', 'expected', listed_rows, 'actual', found_rows, 'level', 'error'),
        named_struct('place', 4, 'name', 'pieces with all of their rows in the table', 'expected', listed_pieces, 'actual', whole_pieces, 'level', 'error'),
        named_struct('place', 5, 'name', 'pieces in the table that the manifest lists', 'expected', found_pieces, 'actual', known_pieces, 'level', 'error'),
        named_struct('place', 6, 'name', 'pieces whose line numbers are lines of theirs', 'expected', found_pieces, 'actual', pieces_within, 'level', 'error'),
        named_struct('place', 7, 'name', 'rows from a line that gave one before', 'expected', 0, 'actual', repeated_places, 'level', 'error'),
        named_struct('place', 8, 'name', 'ids in more than one piece', 'expected', 0, 'actual', in_several_pieces, 'level', 'warn'),
        named_struct('place', 9, 'name', 'ids more than once in one piece', 'expected', 0, 'actual', twice_in_a_piece, 'level', 'warn'),
        named_struct('place', 10, 'name', 'rows without an id', 'expected', 0, 'actual', missing, 'level', 'warn')
    )) AS entry
    FROM by_piece
    CROSS JOIN logged
    CROSS JOIN places
    CROSS JOIN identity
),

results AS (
    SELECT 1 AS place, "check", expected, actual, ok, 'error' AS level FROM reconciliation
    UNION ALL
    SELECT
        entry['place'],
        entry['name'],
        entry['expected'],
        entry['actual'],
        entry['expected'] = entry['actual'],
        entry['level']
    FROM checks
)

SELECT "check", expected, actual, ok, level
FROM results
ORDER BY place, "check"
