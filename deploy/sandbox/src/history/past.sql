-- An invented past of `days` days for every target that has none: releases, deployments, their jobs, acts. `pace` times
-- the durations of a real fleet. With `live` the newest release is what every host has; without, all of them are
-- pruned, so that nothing of it can be deployed.
\set ON_ERROR_STOP on
BEGIN;
SELECT setseed(0.25) \g /dev/null

INSERT INTO principal (id, kind, name, created_at)
SELECT gen_random_uuid(), 'user', name, now() - interval '120 days' FROM unnest(ARRAY['lucy', 'max', 'ana', 'ivo']) AS name
ON CONFLICT DO NOTHING;
CREATE TEMP TABLE person ON COMMIT DROP AS
SELECT id, name, row_number() OVER (ORDER BY name) - 1 AS n FROM principal WHERE kind = 'user' AND name IN ('lucy', 'max', 'ana', 'ivo');

CREATE TEMP TABLE blank ON COMMIT DROP AS
SELECT target.id, target.project_id, target.strategy, project.name AS project, environment.name AS environment,
       (row_number() OVER (PARTITION BY project.id ORDER BY environment.position, environment.name) - 1)::integer AS rank
FROM target JOIN project ON project.id = target.project_id JOIN environment ON environment.id = target.environment_id
WHERE NOT EXISTS (SELECT FROM deployment WHERE deployment.target_id = target.id)
  AND NOT EXISTS (SELECT FROM release WHERE release.project_id = project.id);

-- Releases: one in twenty failed to build, the newest never.
CREATE TEMP TABLE made ON COMMIT DROP AS
SELECT gen_random_uuid() AS id, project_id, project, n, :releases - n AS age, sha256(convert_to(project || n, 'UTF8')) AS digest,
       now() - interval '1 hour' - (:days * interval '1 day') * (:releases - n + random() * 0.8) / :releases AS at,
       n < :releases AND random() < 0.05 AS failed, (60 + 60 * random()) * :pace AS took, (random() * 3)::integer AS author
FROM (SELECT DISTINCT project_id, project FROM blank) AS project CROSS JOIN generate_series(1, :releases) AS n;

INSERT INTO release (id, project_id, number, label, reference, commit_id, subject, author, state, origin, recipe,
                     manifest_digest, archive_digest, packing_digest, archive_bytes, total_bytes, entries, folder, failure,
                     created_by, created_at, built_at, pruned_at, committed_at)
SELECT made.id, project_id, made.n, CASE WHEN :live THEN '1.' || made.n || '.0' ELSE '0.' || made.n || '.0' END, 'main',
       encode(substr(sha256(made.digest), 1, 20), 'hex'),
       (ARRAY['Round VAT as the law says', 'Add an index on orders', 'Show the way back', 'Speed up the search',
              'Drop the old column', 'Translate the footer', 'Retry what the mail server refused', 'Update libraries'])[1 + made.n % 8],
       initcap(person.name) || ' Example', CASE WHEN failed THEN 'failed' WHEN :live AND age < 8 THEN 'built' ELSE 'pruned' END,
       'sandbox',
       '{"build": {"steps": ["make dist"], "include": ["dist/**"], "cache": [], "cache_key": [], "timeout_s": 1800, "silence_timeout_s": 600},
         "hooks": {"before": [], "after": [], "timeout_s": 0}, "shared": [], "migrations": {"pre": null, "post": null}, "health": null}',
       whole.digest, whole.digest, whole.digest, whole.bytes, whole.bytes * 3, whole.bytes / 12000,
       CASE WHEN NOT failed THEN lpad(made.n::text, 6, '0') || '-' || left(encode(made.digest, 'hex'), 12) END,
       CASE WHEN failed THEN 'make dist: exit status 2' END,
       person.id, at, CASE WHEN NOT failed THEN at + took * interval '1 second' END,
       CASE WHEN NOT failed AND NOT (:live AND age < 8) THEN at + interval '14 days' END, at - interval '20 minutes'
FROM made JOIN person ON person.n = made.author
     LEFT JOIN LATERAL (SELECT made.digest, 20000000 + made.n * 41000::bigint AS bytes WHERE NOT made.failed) AS whole (digest, bytes) ON true
ORDER BY at;
UPDATE project SET next_release_number = :releases + 1 WHERE id IN (SELECT project_id FROM made);

-- Deployments: every release to the first environment, every second to the next, and so on. Nine of ten end live.
CREATE TEMP TABLE wish ON COMMIT DROP AS
SELECT gen_random_uuid() AS id, blank.id AS target_id, blank.project_id, blank.project, environment, strategy, made.id AS release_id, n, age,
       at + (took + 20 + rank * 3600 * random()) * interval '1 second' AS at,
       CASE WHEN age <= rank THEN 'live' WHEN luck < 0.90 THEN 'live' WHEN luck < 0.96 THEN 'rolled_back' ELSE 'cancelled' END AS outcome,
       (random() * 3)::integer AS who, (10 + 8 * random()) * :pace AS install_s, (3 + 3 * random()) * :pace AS switch_s
FROM blank JOIN made USING (project_id), LATERAL (SELECT random() + 0 * n AS luck) AS chance
WHERE NOT failed AND (:releases - n) % (rank + 1) = 0;

INSERT INTO deployment (id, target_id, release_id, kind, requested_by, requested_at, strategy, started_at, from_release_id,
                        rollback, cancel, outcome, outcome_detail, ended_at)
SELECT wish.id, target_id, wish.release_id, 'deploy', person.id, at, strategy, at + interval '50 ms', before.release_id,
       CASE outcome WHEN 'rolled_back' THEN jsonb_build_object('to', jsonb_build_object('id', before.release_id, 'label', before.label),
            'by', NULL, 'at', at + install_s * interval '1 second', 'tries', 1, 'reason', 'the health check did not pass in time') END,
       CASE outcome WHEN 'cancelled' THEN jsonb_build_object('by', person.name, 'at', at + interval '2 s', 'reason', 'not yet') END,
       outcome, CASE outcome WHEN 'rolled_back' THEN 'rolled back to ' || before.label WHEN 'cancelled' THEN 'cancelled before any host switched' ELSE 'live' END,
       at + (install_s + 3 * switch_s) * interval '1 second'
FROM (SELECT *, CASE WHEN outcome = 'rolled_back' AND lag(id) OVER mine IS NULL THEN 'live' ELSE outcome END AS really,
             lag(release_id) OVER mine AS before_id FROM wish WINDOW mine AS (PARTITION BY target_id ORDER BY n)) AS wish
     JOIN person ON person.n = who
     LEFT JOIN LATERAL (SELECT release.id AS release_id, label FROM release WHERE release.id = before_id) AS before ON true
WHERE outcome = really
ORDER BY at;
DELETE FROM wish WHERE NOT EXISTS (SELECT FROM deployment WHERE deployment.id = wish.id);

INSERT INTO deployment_step (deployment_id, ordinal, kind, scope, requires)
SELECT id, ordinal, kind, scope, requires
FROM wish, (VALUES (0, 'build', 'release', '{}'::integer[]), (1, 'install', 'hosts', '{0}'), (2, 'switch', 'hosts', '{1}'))
     AS step (ordinal, kind, scope, requires);

INSERT INTO deployment_host (deployment_id, placement_id, host_id, wave)
SELECT wish.id, placement.id, host_id, LEAST(3, row_number() OVER (PARTITION BY wish.id ORDER BY host_id))
FROM wish JOIN placement USING (target_id) WHERE retired_at IS NULL;

-- Jobs: a build for each release, an install and a switch for each host.
CREATE TEMP TABLE work ON COMMIT DROP AS
SELECT gen_random_uuid() AS id, gen_random_uuid() AS stream, kind, state, project_id, project, release_id, n, target_id, placement_id,
       deployment_id, host_id, pool, worker, generation, begun, took, row_number() OVER () AS place
FROM (SELECT 'build' AS kind, CASE WHEN failed THEN 'failed' ELSE 'succeeded' END AS state, project_id, project, made.id AS release_id,
             n, NULL::uuid AS target_id, NULL::uuid AS placement_id, NULL::uuid AS deployment_id, NULL AS host_id, 'default' AS pool,
             (SELECT min(id) FROM host) AS worker, NULL::bigint AS generation, at AS begun, took
      FROM made
      UNION ALL
      SELECT 'install', 'succeeded', project_id, project, release_id, n, target_id, placement_id, wish.id, host_id, NULL, host_id, NULL,
             at + interval '1 s', install_s * (0.8 + 0.2 * random())
      FROM wish JOIN deployment_host ON deployment_id = wish.id
      UNION ALL
      SELECT 'activate', CASE WHEN outcome = 'rolled_back' THEN 'failed' ELSE 'succeeded' END, project_id, project, release_id, n,
             target_id, placement_id, wish.id, host_id, NULL, host_id, n,
             at + (install_s + switch_s * (wave - 1)) * interval '1 second', switch_s * (0.7 + 0.3 * random())
      FROM wish JOIN deployment_host ON deployment_id = wish.id
      WHERE outcome = 'live' OR (outcome = 'rolled_back' AND wave = 1)
      ORDER BY begun) AS job
WHERE worker IS NOT NULL;

INSERT INTO log_stream (id, kind, host_id, created_at) SELECT stream, 'job', worker, begun FROM work;

INSERT INTO job (id, kind, state, purpose, project_id, release_id, target_id, placement_id, deployment_id, host_id, pool, generation,
                 body, body_digest, log_stream_id, epoch, worker_id, offered_at, outcome, reason, code, created_at, started_at, ended_at)
SELECT work.id, kind, state, CASE kind WHEN 'build' THEN 'release' ELSE 'deploy' END, project_id, release_id, target_id, placement_id,
       deployment_id, host_id, pool, generation, body, sha256(convert_to(body, 'UTF8')), stream, 1, worker, begun,
       CASE WHEN state = 'succeeded' THEN '{"result": "succeeded", "product": {"product": "nothing"}}'::jsonb
            ELSE jsonb_build_object('result', 'failed', 'code', CASE kind WHEN 'build' THEN 'step_failed' ELSE 'unhealthy' END,
                                    'exit', NULL, 'phase', CASE kind WHEN 'build' THEN 'build' ELSE 'health' END,
                                    'effect', CASE kind WHEN 'build' THEN 'none' ELSE 'done' END, 'message', why) END,
       CASE WHEN state = 'failed' THEN why END, CASE WHEN state = 'failed' THEN CASE kind WHEN 'build' THEN 'step_failed' ELSE 'unhealthy' END END,
       begun, begun + interval '80 ms', begun + took * interval '1 second'
FROM work, LATERAL (SELECT jsonb_build_object('v', 1, 'job', id, 'project', project, 'invented', true)::text,
                           CASE kind WHEN 'build' THEN 'make dist: exit status 2' ELSE host_id || ': the health check did not pass within 30 s' END)
           AS text (body, why)
ORDER BY place;

INSERT INTO attempt (job_id, epoch, host_id, instance_id, nonce, granted, granted_at, ended_at, ending, outcome, log_last_seq, log_lines)
SELECT id, 1, worker, gen_random_uuid(), left(md5(id::text), 32), '', begun + interval '80 ms', begun + took * interval '1 second', 'result',
       '{"result": "succeeded", "product": {"product": "nothing"}}', 1, 4
FROM work;

INSERT INTO job_step (job_id, epoch, ordinal, name, started_at, finished_at, duration_ms, ok)
SELECT id, 1, ordinal, name, begun + took * starts * interval '1 second', begun + took * ends * interval '1 second',
       (took * (ends - starts) * 1000)::bigint, true
FROM work JOIN (VALUES ('build', 0, 'checkout', 0.0, 0.1), ('build', 1, 'make dist', 0.1, 0.8), ('build', 2, 'pack', 0.8, 0.85),
                       ('build', 3, 'upload', 0.85, 1.0), ('install', 0, 'prepare', 0.0, 0.02), ('install', 1, 'fetch', 0.02, 0.7),
                       ('install', 2, 'unpack', 0.7, 0.95), ('install', 3, 'link and verify', 0.95, 1.0), ('activate', 0, 'check', 0.0, 0.05),
                       ('activate', 1, 'switch', 0.05, 0.1), ('activate', 2, 'health', 0.1, 1.0)) AS step (kind, ordinal, name, starts, ends)
     USING (kind);

INSERT INTO log_chunk (stream_id, epoch, seq, stage, first_line, line_count, byte_offset, content, received_at)
SELECT stream, 1, 1, 'make dist', 1, 4, 0,
       jsonb_build_object('lines', jsonb_agg(jsonb_build_object('at', (extract(epoch FROM begun) * 1000)::bigint + line * 700, 'source', 'out',
            'text', CASE line WHEN 4 THEN CASE state WHEN 'failed' THEN 'make: *** [dist] Error 2' ELSE 'built ' || project || ' 1.' || n || '.0' END
                    ELSE 'compiling part ' || line || ' of 3' END) ORDER BY line)), begun
FROM work, generate_series(1, 4) AS line WHERE kind = 'build' GROUP BY stream, begun, state, project, n;

-- What people did.
INSERT INTO audit (id, at, principal_id, address, action, object, result, detail)
SELECT gen_random_uuid(), at, principal_id, '10.0.0.' || 10 + who, action, object, 'done', detail
FROM (SELECT at, person.id AS principal_id, author AS who, 'release.request' AS action, project AS object,
             jsonb_build_object('ref', 'main', 'release', made.n) AS detail FROM made JOIN person ON person.n = author
      UNION ALL
      SELECT at, person.id, who, 'deployment.request', project || '@' || environment, jsonb_build_object('release', wish.n)
      FROM wish JOIN person ON person.n = who) AS act
ORDER BY at;

-- Decisions to come are newer than these.
UPDATE placement SET generation = :releases FROM blank WHERE blank.id = placement.target_id;

-- What is live today.
CREATE TEMP TABLE newest ON COMMIT DROP AS
SELECT DISTINCT ON (target_id) target_id, release_id, n, at FROM wish WHERE :live AND outcome = 'live' ORDER BY target_id, n DESC;
UPDATE target SET desired_release_id = newest.release_id FROM newest WHERE newest.target_id = target.id;
INSERT INTO good_release (target_id, release_id, first_live_at, last_live_at)
SELECT target_id, release_id, min(at), max(at) FROM wish WHERE :live AND outcome = 'live' AND age < 8 GROUP BY target_id, release_id;
UPDATE placement SET fence_generation = :releases, desired_release_id = newest.release_id,
                     attempted_release_id = newest.release_id, confirmed_release_id = newest.release_id,
                     current_folder = release.folder, health = 'healthy'
FROM newest JOIN release ON release.id = newest.release_id WHERE newest.target_id = placement.target_id;
INSERT INTO placement_release (placement_id, folder, release_id, confirmed_at)
SELECT placement.id, release.folder, release.id, now()
FROM good_release JOIN placement USING (target_id) JOIN release ON release.id = good_release.release_id
ON CONFLICT DO NOTHING;

COMMIT;
ANALYZE;
