"""The SQL that Procrastinate has no statement for; what it has one for is taken from `procrastinate.sql`.

Whatever changes a job locks its rows in one order: `procrastinate_jobs`, `recpipe_jobs`,
`procrastinate_workers`. Each claim has a row of its own in the last one, whose heartbeat is its lease.
"""

from __future__ import annotations

from typing import Final, LiteralString

QUEUE: Final = "recpipe"
TASK: Final = "run"

KEPT: Final[LiteralString] = """
SELECT job.id, job.args->>'document' AS document, job.priority, job.status::text AS status,
       coalesce(recpipe_ms(job.scheduled_at), 0) AS not_before_ms, job.worker_id,
       ours.key, ours.deadline_ms, ours.cores, ours.memory, ours.disk, ours.attempts, ours.token,
       ours.vendor, ours.submitted_ms, ours.started_ms, ours.ended_ms, ours.worker, ours.progress,
       ours.code, ours.summary, ours.sentence, ours.parent, ours.parts
  FROM procrastinate_jobs AS job
  JOIN recpipe_jobs AS ours ON ours.job_id = job.id
"""
"""Jobs as they stand; `pipeline.worker.queue.postgres.rows` reads them."""

ONE: Final[LiteralString] = KEPT + "WHERE job.id = %(id)s"

LOCKED: Final[LiteralString] = ONE + " FOR UPDATE OF job, ours"

LISTED: Final[LiteralString] = (
    KEPT
    + """
 WHERE (%(statuses)s::text[] IS NULL OR job.status::text = ANY(%(statuses)s))
   AND (%(key)s::text = '' OR ours.key = %(key)s)
   AND job.id < %(before)s
   AND (%(parent)s::bigint = 0 OR ours.parent > 0 AND ours.parent = %(parent)s)
 ORDER BY job.id DESC
 LIMIT %(most)s
"""
)

ENDED_SINCE: Final[LiteralString] = (
    KEPT
    + """
 WHERE ours.ended_ms > 0 AND ours.ended_ms >= %(since_ms)s
 ORDER BY ours.ended_ms, job.id
 LIMIT %(most)s
"""
)

STANDING: Final[LiteralString] = """
SELECT job.status::text AS status, ours.vendor, count(*) AS number
  FROM procrastinate_jobs AS job
  JOIN recpipe_jobs AS ours ON ours.job_id = job.id
 GROUP BY job.status, ours.vendor
"""

OLDEST: Final[LiteralString] = """
SELECT coalesce(min(greatest(ours.submitted_ms, recpipe_ms(job.scheduled_at))), 0) AS at_ms
  FROM procrastinate_jobs AS job
  JOIN recpipe_jobs AS ours ON ours.job_id = job.id
 WHERE job.status = 'todo' AND (job.scheduled_at IS NULL OR job.scheduled_at <= now())
   AND (ours.parts = 0 OR NOT EXISTS (
        SELECT 1 FROM recpipe_jobs AS part
         WHERE part.parent > 0 AND part.parent = ours.job_id AND part.ended_ms = 0))
"""

NOTE: Final[LiteralString] = """
INSERT INTO recpipe_notes (job_id, at_ms, sentence)
SELECT job.id, recpipe_ms(now()), told.sentence
  FROM procrastinate_jobs AS job, unnest(%(sentences)s::text[]) WITH ORDINALITY AS told(sentence, place)
 WHERE job.id = %(id)s
 ORDER BY told.place
"""

OLD_NOTES: Final[LiteralString] = """
DELETE FROM recpipe_notes
 WHERE job_id = %(id)s AND id <= (
    SELECT id FROM recpipe_notes WHERE job_id = %(id)s ORDER BY id DESC LIMIT 1 OFFSET %(kept)s
 )
"""

NOTES: Final[LiteralString] = """
SELECT at_ms, sentence FROM recpipe_notes WHERE job_id = %(id)s ORDER BY id
"""

KEY_LOCKED: Final[LiteralString] = "SELECT pg_advisory_xact_lock(hashtextextended(%(key)s, 5))"
"""Until the transaction ends nobody else submits or retries a job of this key."""

OF_KEY: Final[LiteralString] = """
SELECT job.id
  FROM recpipe_jobs AS ours
  JOIN procrastinate_jobs AS job ON job.id = ours.job_id
 WHERE ours.key = %(key)s AND (job.status IN ('todo', 'doing') OR job.id > %(newest)s::bigint)
 ORDER BY job.id DESC LIMIT 1
"""

KEEP: Final[LiteralString] = """
INSERT INTO recpipe_jobs (job_id, key, priority, deadline_ms, cores, memory, disk, vendor, parent,
                          submitted_ms)
VALUES (%(id)s, %(key)s, %(priority)s, %(deadline_ms)s, %(cores)s, %(memory)s, %(disk)s, %(vendor)s,
        %(parent)s, recpipe_ms(now()))
"""

NEXT: Final[LiteralString] = """
SELECT job.id, job.status::text AS status
  FROM recpipe_jobs AS ours
  JOIN procrastinate_jobs AS job ON job.id = ours.job_id
  LEFT JOIN procrastinate_workers AS heart ON heart.id = job.worker_id
 WHERE ours.ended_ms = 0 AND job.status IN ('todo', 'doing')
   AND (CASE job.status
          WHEN 'todo' THEN job.scheduled_at IS NULL OR job.scheduled_at <= now()
          ELSE heart.id IS NULL OR heart.last_heartbeat <= now() - %(lease_ms)s * interval '1 ms'
        END)
   AND ours.cores <= %(cores)s AND ours.memory <= %(memory)s AND ours.disk <= %(disk)s
   AND (ours.parts = 0 OR NOT EXISTS (
        SELECT 1 FROM recpipe_jobs AS part
         WHERE part.parent > 0 AND part.parent = ours.job_id AND part.ended_ms = 0))
 ORDER BY ours.priority DESC, ours.deadline_ms = 0, ours.deadline_ms, ours.job_id
 LIMIT 1
   FOR UPDATE OF job, ours SKIP LOCKED
"""
"""The next job that may begin, locked; found without sorting, by the index `recpipe_jobs_next`.

Of one that runs, `STALLED` says whether it still may.
"""

UNWANTED_OF_THE_DEAD: Final[LiteralString] = """
SELECT job.id
  FROM procrastinate_jobs AS job
  JOIN recpipe_jobs AS ours ON ours.job_id = job.id
  LEFT JOIN procrastinate_workers AS heart ON heart.id = job.worker_id
 WHERE job.status = 'doing' AND job.abort_requested
   AND (heart.id IS NULL OR heart.last_heartbeat <= now() - %(lease_ms)s * interval '1 ms')
   FOR UPDATE OF job, ours SKIP LOCKED
"""

STALLED: Final[LiteralString] = """
SELECT job.abort_requested, job.worker_id
  FROM procrastinate_jobs AS job
  LEFT JOIN procrastinate_workers AS heart ON heart.id = job.worker_id
 WHERE job.id = %(id)s AND job.status = 'doing'
   AND (heart.id IS NULL OR heart.last_heartbeat <= now() - %(lease_ms)s * interval '1 ms')
"""
"""Asked when the job's rows are locked: a heartbeat that came until then is seen, and later ones wait."""

REAP: Final[LiteralString] = """
SELECT procrastinate_retry_job_v2(job.id, job.scheduled_at, NULL, NULL, NULL)
  FROM procrastinate_jobs AS job
 WHERE job.id = %(id)s
"""

TAKE: Final[LiteralString] = """
WITH heart AS (
    SELECT worker_id FROM procrastinate_register_worker_v1()
), taken AS (
    UPDATE procrastinate_jobs AS job
       SET status = 'doing', worker_id = heart.worker_id
      FROM heart
     WHERE job.id = %(id)s
 RETURNING job.id
)
UPDATE recpipe_jobs AS ours
   SET token = ours.token + 1, attempts = ours.attempts + 1, worker = %(worker)s, progress = -1,
       started_ms = recpipe_ms(now())
  FROM taken
 WHERE ours.job_id = taken.id
"""

_MINE: Final[LiteralString] = """
WITH mine AS (
    SELECT job.id, job.worker_id, job.abort_requested
      FROM procrastinate_jobs AS job
      JOIN recpipe_jobs AS ours ON ours.job_id = job.id
     WHERE job.id = %(id)s AND job.status = 'doing' AND job.worker_id IS NOT NULL
       AND ours.token = %(token)s
       FOR UPDATE OF job, ours
)
"""
"""The fence: no row where the claim is another's by now, or ended."""

BEAT: Final[LiteralString] = (
    _MINE  # noqa: S608 - both halves are constants of this file
    + """
, moved AS (
    UPDATE recpipe_jobs AS ours
       SET progress = CASE WHEN %(progress)s < 0 THEN ours.progress ELSE %(progress)s END
      FROM mine
     WHERE ours.job_id = mine.id
)
SELECT mine.abort_requested, procrastinate_update_heartbeat_v1(mine.worker_id)::text AS beaten FROM mine
"""
)

END: Final[LiteralString] = (
    _MINE  # noqa: S608 - both halves are constants of this file
    + """
, said AS (
    UPDATE recpipe_jobs AS ours
       SET ended_ms = recpipe_ms(now()), progress = -1, code = %(code)s,
           summary = %(summary)s, sentence = %(sentence)s
      FROM mine
     WHERE ours.job_id = mine.id
)
SELECT procrastinate_finish_job_v1(mine.id, %(status)s::procrastinate_job_status, false)::text AS finished,
       procrastinate_unregister_worker_v1(mine.worker_id)::text AS unregistered
  FROM mine
"""
)

AGAIN: Final[LiteralString] = (
    _MINE  # noqa: S608 - both halves are constants of this file
    + """
, said AS (
    UPDATE recpipe_jobs AS ours
       SET attempts = ours.attempts - CASE WHEN %(counts)s THEN 0 ELSE 1 END, progress = -1,
           sentence = CASE WHEN mine.abort_requested THEN %(unwanted)s ELSE %(sentence)s END,
           ended_ms = CASE WHEN mine.abort_requested THEN recpipe_ms(now()) ELSE 0 END,
           code = CASE WHEN mine.abort_requested THEN %(code)s::integer END,
           parts = CASE WHEN mine.abort_requested THEN ours.parts ELSE coalesce(%(parts)s, ours.parts) END
      FROM mine
     WHERE ours.job_id = mine.id
)
SELECT CASE WHEN mine.abort_requested
            THEN procrastinate_finish_job_v1(mine.id, 'aborted', false)::text
            ELSE procrastinate_retry_job_v2(
                mine.id, coalesce(%(retry_at)s, job.scheduled_at), NULL, NULL, NULL)::text
       END AS finished,
       procrastinate_unregister_worker_v1(mine.worker_id)::text AS unregistered, mine.abort_requested
  FROM mine JOIN procrastinate_jobs AS job ON job.id = mine.id
"""
)
"""It waits for a time, or for its parts. A job that somebody wants cancelled does not: it is aborted."""

PARTS_LOCKED: Final[LiteralString] = "SELECT pg_advisory_xact_lock(hashtextextended(%(parent)s::text, 6))"
"""Who ends all parts of a job does it alone: each two of them would wait for rows of the other."""

OPEN_PARTS: Final[LiteralString] = """
SELECT job_id AS id FROM recpipe_jobs WHERE parent > 0 AND parent = %(parent)s AND ended_ms = 0
 ORDER BY job_id
"""

FORGET_PARTS: Final[LiteralString] = """
DELETE FROM procrastinate_jobs AS job
 USING recpipe_jobs AS ours
 WHERE ours.job_id = job.id AND ours.parent > 0 AND ours.parent = %(id)s
   AND job.status NOT IN ('todo', 'doing')
"""

ABORT: Final[LiteralString] = """
WITH ended AS (
    UPDATE recpipe_jobs
       SET ended_ms = recpipe_ms(now()), progress = -1, code = %(code)s, sentence = %(unwanted)s
     WHERE job_id = %(id)s
 RETURNING job_id
)
SELECT procrastinate_finish_job_v1(ended.job_id, 'aborted', false)::text AS finished FROM ended
"""

CANCEL: Final[LiteralString] = """
WITH ended AS (
    UPDATE recpipe_jobs
       SET ended_ms = recpipe_ms(now()), code = %(code)s, sentence = %(unwanted)s
     WHERE job_id = %(id)s
 RETURNING job_id
)
SELECT procrastinate_cancel_job_v1(ended.job_id, false, false) AS id FROM ended
"""

RETRY: Final[LiteralString] = """
WITH back AS (
    UPDATE procrastinate_jobs AS job
       SET status = 'todo', abort_requested = false, attempts = 0
     WHERE job.id = %(id)s
 RETURNING job.id
)
UPDATE recpipe_jobs AS ours
   SET attempts = 0, started_ms = 0, ended_ms = 0, progress = -1, code = NULL, summary = '', sentence = ''
  FROM back
 WHERE ours.job_id = back.id
"""

PURGE: Final[LiteralString] = """
DELETE FROM procrastinate_jobs AS job
 USING recpipe_jobs AS ours
 WHERE ours.job_id = job.id AND ours.ended_ms < %(before_ms)s
   AND job.status NOT IN ('todo', 'doing') AND job.status::text = ANY(%(statuses)s)
   AND NOT EXISTS (SELECT 1 FROM recpipe_jobs AS whole
                    WHERE whole.job_id = ours.parent AND whole.ended_ms = 0)
"""
