// Who may ask for tokens here, and what their tokens carry.

/** The audience that the resource server under test expects. */
export const API = 'https://api.acme.test';

/** An API of the same company that the resource server must not be confused with. */
const OTHER_API = 'https://billing.acme.test';

/** Two APIs whose tokens are opaque: one that is tested, one that it must not be confused with. */
const VAULT = 'https://vault.acme.test';
const OTHER_VAULT = 'https://cellar.acme.test';

const RESOURCES = {
  [API]: 'jwt',
  [OTHER_API]: 'jwt',
  [VAULT]: 'opaque',
  [OTHER_VAULT]: 'opaque',
};

export const SCOPES = 'invoices:read invoices:write reports:read admin';

const acme = { organization: 'org_acme' };

/** Per client: organization (absent: none), signing algorithm, scopes, life in seconds, further claims. */
const CLIENTS = {
  'm2m-rs256': { ...acme, algorithm: 'RS256' },
  'm2m-ps256': { ...acme, algorithm: 'PS256' },
  'm2m-es256': { ...acme, algorithm: 'ES256' },
  'm2m-eddsa': { ...acme, algorithm: 'EdDSA' },
  // The same curve under the name that RFC 9864 gave it.
  'm2m-ed25519': { ...acme, algorithm: 'Ed25519' },
  'm2m-globex': { organization: 'org_globex' },
  'm2m-readonly': { ...acme, scopes: 'invoices:read' },
  'm2m-brief': { ...acme, lifetime: 2 },
  // One of the vendor's own services: no organization, and a mark that a rule can go by.
  'svc-billing': { claims: { tier: 'internal' } },
  // A third party's app, acting for a user who consented.
  'app-ledger': { redirectUri: 'http://127.0.0.1/callback' },
};

const ACCOUNTS = {
  'user-alice': { organization: 'org_acme' },
  'user-bob': { organization: 'org_globex' },
};

/** How the API that is tested may prove itself where it asks about tokens, besides by signed assertion. */
const INTROSPECTING = { 'rs-basic': 'client_secret_basic', 'rs-post': 'client_secret_post' };

/** Whether a client may ask about tokens: the API itself, and nobody who only uses it. */
export function mayIntrospect(clientId) {
  return clientId.startsWith('rs-');
}

/** The API as a client: `rs-basic`, `rs-post`, and one for each algorithm of an assertion, such as `rs-es256`. */
function introspecting(publicKeys) {
  const asking = { grant_types: [], response_types: [], redirect_uris: [] };
  const bySecret = Object.entries(INTROSPECTING).map(([id, method]) => ({
    ...asking,
    client_id: id,
    // Characters that mean something in forms and in the Authorization header.
    client_secret: `${id}:+%& secret`,
    token_endpoint_auth_method: method,
  }));
  const byKey = Object.entries(publicKeys).map(([algorithm, jwk]) => ({
    ...asking,
    client_id: `rs-${algorithm.toLowerCase()}`,
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: algorithm,
    jwks: { keys: [jwk] },
  }));
  return [...bySecret, ...byKey];
}

/** The clients in the form in which oidc-provider registers them; `publicKeys` are those of assertions, by algorithm. */
export function registrations(publicKeys) {
  return [...introspecting(publicKeys), ...callers()];
}

function callers() {
  return Object.entries(CLIENTS).map(([id, client]) =>
    client.redirectUri
      ? {
          client_id: id,
          application_type: 'native',
          token_endpoint_auth_method: 'none',
          grant_types: ['authorization_code'],
          response_types: ['code'],
          redirect_uris: [client.redirectUri],
        }
      : {
          client_id: id,
          client_secret: `${id}-secret`,
          grant_types: ['client_credentials'],
          response_types: [],
          redirect_uris: [],
        },
  );
}

/** What oidc-provider asks about the API a token is for; `undefined` for an API it does not serve. */
export function resourceServer(resource, clientId) {
  if (!Object.hasOwn(RESOURCES, resource)) return undefined;
  const { algorithm = 'RS256', scopes = SCOPES, lifetime = 600 } = CLIENTS[clientId];
  return {
    audience: resource,
    scope: scopes,
    accessTokenTTL: lifetime,
    accessTokenFormat: RESOURCES[resource],
    jwt: { sign: { alg: algorithm } },
  };
}

/** A user's token names the user's organization, a machine's the client's own. */
export function extraClaims({ accountId, clientId }) {
  const { organization, claims } = accountId ? ACCOUNTS[accountId] : CLIENTS[clientId];
  return { ...claims, ...(organization && { org_id: organization }) };
}

export function account(id) {
  return Object.hasOwn(ACCOUNTS, id) ? { accountId: id, claims: () => ({ sub: id }) } : undefined;
}
