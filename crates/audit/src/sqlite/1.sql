CREATE TABLE audit_events (
    id INTEGER PRIMARY KEY,
    time TEXT NOT NULL,
    decision TEXT NOT NULL,
    denial TEXT,
    principal_kind TEXT,
    subject TEXT,
    client TEXT,
    user TEXT,
    organization TEXT,
    organizations TEXT NOT NULL,
    token_id TEXT,
    issuer TEXT,
    scopes_needed TEXT NOT NULL,
    scopes_granted TEXT NOT NULL,
    acting_for TEXT,
    method TEXT NOT NULL,
    matched_path TEXT,
    status INTEGER,
    grpc_status INTEGER,
    latency_us INTEGER NOT NULL,
    request_id TEXT,
    peer TEXT
);
CREATE INDEX audit_events_by_time ON audit_events (time);
CREATE INDEX audit_events_by_organization ON audit_events (organization, time)
