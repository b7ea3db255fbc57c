-- A known cause named a command that there is not; where somebody changed it, it stays as they wrote it.

UPDATE known_cause SET action = 'For a repository: pointsman project key show PROJECT; for a registry: is its token among the variables?'
    WHERE action = 'For a repository: pointsman key show PROJECT; for a registry: is its token among the variables?';
