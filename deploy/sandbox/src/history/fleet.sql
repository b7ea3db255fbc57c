-- An invented fleet: `hosts` hosts, `projects` projects, each in `environments` environments on its group's hosts.
-- Nobody runs behind it; a coordinator that serves HTTP alone takes it as it stands.
\set ON_ERROR_STOP on
BEGIN;

INSERT INTO environment (id, name, position, created_at)
SELECT gen_random_uuid(), name, 10 * place, now() - interval '120 days'
FROM unnest(ARRAY['staging', 'canary', 'production', 'production-eu', 'production-us']) WITH ORDINALITY AS named (name, place)
WHERE place <= :environments
ON CONFLICT (name) DO NOTHING;

CREATE TEMP TABLE place ON COMMIT DROP AS
SELECT environment.id, environment.name, row_number() OVER (ORDER BY position, name) - 1 AS rank FROM environment;

-- Each group of hosts in an environment carries the projects of the same remainder.
CREATE TEMP TABLE grouping ON COMMIT DROP AS
SELECT GREATEST(1, :hosts / ((SELECT count(*) FROM place) * 5)) AS groups;

INSERT INTO principal (id, kind, name, created_at)
SELECT gen_random_uuid(), 'agent', 'node-' || lpad(n::text, 3, '0'), now() - interval '120 days'
FROM generate_series(1, :hosts) AS n;

INSERT INTO host (id, principal_id, display_name, labels, kinds, public_key, key_id, broker_ready_at, joined_at, instance_id,
                  software, wire_versions, facts, slots, last_seen_at, hello_at, free_bytes, clock_offset_ms,
                  answer_ms, answered_at, created_at)
SELECT principal.name, principal.id, principal.name,
       jsonb_build_object('group', 'g' || (n / (SELECT count(*) FROM place)) % (SELECT groups FROM grouping),
                          'environment', place.name),
       ARRAY['install', 'activate', 'rollback', 'migrate', 'collect_garbage'],
       sha256(convert_to(principal.name, 'UTF8')), left(md5(principal.name), 32), now() - interval '119 days',
       now() - interval '119 days', gen_random_uuid(), '0.1.0', ARRAY[1, 2],
       jsonb_build_object('system', 'Debian GNU/Linux 12 (bookworm)', 'hostname', principal.name, 'cores', '8',
                          'disk_bytes', (400::bigint << 30)::text),
       '[{"kind": "install", "count": 2}, {"kind": "activate", "count": 1000}, {"kind": "migrate", "count": 1}]',
       now(), now() - interval '3 days', (20 + n % 300)::bigint << 30, n % 40 - 20,
       7 + n * 13 % 60, now() - n * interval '7 minutes', now() - interval '120 days'
FROM generate_series(1, :hosts) AS n
     JOIN principal ON principal.kind = 'agent' AND principal.name = 'node-' || lpad(n::text, 3, '0')
     JOIN place ON place.rank = n % (SELECT count(*) FROM place);

INSERT INTO project (id, name, repository, created_at)
SELECT gen_random_uuid(), (ARRAY['accounts', 'billing', 'catalogue', 'delivery', 'events', 'forum', 'gateway', 'health',
                                 'images', 'journal'])[1 + n % 10] || '-' || lpad(n::text, 3, '0'),
       'https://git.example.com/team/service-' || n || '.git', now() - interval '119 days'
FROM generate_series(1, :projects) AS n;

INSERT INTO target (id, project_id, environment_id, root, labels, strategy, position, created_at, updated_at)
SELECT gen_random_uuid(), project.id, place.id, '/srv/' || project.name,
       jsonb_build_object('group', 'g' || right(project.name, 3)::integer % (SELECT groups FROM grouping),
                          'environment', place.name),
       '{"waves": ["1", "50%", "100%"], "on_failure": "rollback", "max_failures": 0, "max_unavailable": 0}',
       place.rank, project.created_at, project.created_at
FROM project CROSS JOIN place
WHERE project.repository LIKE 'https://git.example.com/team/service-%';

INSERT INTO placement (id, target_id, host_id, root, state_at, created_at)
SELECT gen_random_uuid(), target.id, host.id, target.root, now(), target.created_at
FROM target JOIN host ON host.labels @> target.labels
WHERE NOT EXISTS (SELECT FROM placement WHERE placement.target_id = target.id);

COMMIT;
