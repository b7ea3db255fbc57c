-- What lines of a failed log mean, and what to do about it. Those without an author came with the product; all of them
-- can be changed and removed.

CREATE TABLE known_cause (
    id           uuid PRIMARY KEY,
    number       bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    pattern      text NOT NULL UNIQUE CHECK (length(pattern) BETWEEN 1 AND 500),    -- a regular expression
    sentence     text NOT NULL CHECK (length(sentence) BETWEEN 1 AND 500),
    action       text CHECK (length(action) BETWEEN 1 AND 500),
    created_by   uuid REFERENCES principal (id),
    changed_at   timestamptz NOT NULL
);

INSERT INTO known_cause (id, pattern, sentence, action, changed_at)
SELECT gen_random_uuid(), pattern, sentence, action, now() FROM (VALUES
    ('no space left on device|ENOSPC|disk quota exceeded',
     'The disk of the host is full.', 'pointsman gc run'),
    ('out of memory|cannot allocate memory|heap out of memory|oom-?kill|ENOMEM|exit(ed)?( with)?( code| status)? 137|signal 9|SIGKILL',
     'The host had no memory left, and the process was killed.',
     'Give the host or the builder more memory, or let the step use less: fewer jobs at once, a smaller heap.'),
    ('permission denied|EACCES|operation not permitted|EPERM',
     'The agent''s user may not read or write a file.',
     'Compare the owner of the file that the line names with the user of the agent; shared folders belong to the agent.'),
    ('could not resolve host|temporary failure in name resolution|name or service not known|ENOTFOUND|EAI_AGAIN',
     'A name could not be resolved: the host has no DNS, or the name is wrong.',
     'On the host: getent hosts NAME. A build fetches from registries and needs the way out.'),
    ('connection refused|ECONNREFUSED',
     'Nothing listens where it tried to connect.',
     'Is the service up, and are host and port right? A health check that is refused means that the release did not start: read its own log on the host.'),
    ('connection timed out|ETIMEDOUT|network is unreachable|no route to host|EHOSTUNREACH',
     'The other side did not answer: a firewall, a wrong address, or a network that is down.',
     'From the host: curl -v ADDRESS'),
    ('certificate (verify failed|has expired|is not yet valid)|x509:|self.signed certificate|unable to get local issuer',
     'A certificate was not accepted.',
     'Is the clock of the host right, and does it know the issuer (ca-certificates)?'),
    ('npm ci. can only install|EUSAGE|package-lock\.json.*(out of sync|not in sync|missing)|lockfile.*(out of date|not up to date)|frozen-lockfile',
     'package.json and its lock file do not fit each other.',
     'Run npm install (or yarn, pnpm) where you develop, and commit the lock file.'),
    ('lock file is not up to date with the latest changes in composer\.json|composer\.lock.*(out of date|not up to date)|requirements could not be resolved to an installable set',
     'composer.json and composer.lock do not fit each other, or the PHP of the builder is another one.',
     'Run composer update --lock where you develop, and commit composer.lock; compare php -v with the builder.'),
    ('the lock file .*needs to be updated but --locked|Cargo\.lock needs to be updated|failed to select a version for',
     'Cargo.toml and Cargo.lock do not fit each other.',
     'Run cargo build where you develop, and commit Cargo.lock.'),
    ('command not found|not found in PATH|exec: .* executable file not found|No such file or directory \(os error 2\)',
     'A program that the step calls is not on the host.',
     'Install it on the builder, or name it by its path; steps get no PATH but the agent''s.'),
    ('authentication failed|could not read username|permission denied \(publickey\)|repository not found|HTTP 40[13]',
     'The other side did not accept who asked.',
     'For a repository: pointsman key show PROJECT; for a registry: is its token among the variables?'),
    ('address already in use|EADDRINUSE',
     'The port is taken: an older process still runs, or two targets share it.',
     'On the host: ss -ltnp | grep PORT'),
    ('did not pass|health check (failed|was refused|timed out)|unhealthy',
     'The release was switched to and did not get healthy in time.',
     'Read what the release itself wrote on the host; a longer deadline stands in [health] of pointsman.toml.'),
    ('could not obtain lock|lock wait timeout|canceling statement due to lock timeout|deadlock detected',
     'Another transaction held a lock that the migration needs.',
     'Look who holds it (pg_stat_activity), and run the migration when it is quiet.')
) AS usual (pattern, sentence, action);
