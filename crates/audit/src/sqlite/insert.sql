INSERT INTO audit_events (
    time, decision, denial, principal_kind, subject, client, user, organization, organizations, token_id, issuer,
    scopes_needed, scopes_granted, acting_for, method, matched_path, status, grpc_status, latency_us, request_id, peer
)
SELECT
    value ->> 'time',
    value ->> 'decision',
    value ->> 'denial',
    value ->> 'principal_kind',
    value ->> 'subject',
    value ->> 'client',
    value ->> 'user',
    value ->> 'organization',
    value ->> 'organizations',
    value ->> 'token_id',
    value ->> 'issuer',
    value ->> 'scopes_needed',
    value ->> 'scopes_granted',
    value ->> 'acting_for',
    value ->> 'method',
    value ->> 'matched_path',
    value ->> 'status',
    value ->> 'grpc_status',
    value ->> 'latency_us',
    value ->> 'request_id',
    value ->> 'peer'
FROM json_each(?1)
ORDER BY key
