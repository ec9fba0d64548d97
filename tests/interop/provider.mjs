// One oidc-provider over a given key set, and the login and consent that stand in for its pages.

import { randomBytes } from 'node:crypto';

import Provider, { errors } from 'oidc-provider';
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js';

import { account, extraClaims, mayIntrospect, registrations, resourceServer } from './clients.mjs';

// One store for all providers of this process, so that sessions and codes outlive a change of keys.
const adapter = createMemoryAdapter(0);

const MINUTES = 60;

// Nonces outlive a change of keys, too.
const nonceSecret = randomBytes(32);

export function createProvider(issuer, jwks, publicKeys, dpop) {
  const provider = new Provider(issuer, {
    adapter,
    jwks,
    clients: registrations(publicKeys),
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    cookies: { keys: ['interop'] },
    scopes: ['openid'],
    pkce: { required: () => true },
    responseTypes: ['code'],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      dPoP: { enabled: true, nonceSecret, requireNonce: () => dpop.nonce },
      introspection: {
        enabled: true,
        allowedPolicy: (_ctx, client) => mayIntrospect(client.clientId),
      },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo(_ctx, resource, client) {
          const info = resourceServer(resource, client.clientId);
          if (!info) throw new errors.InvalidTarget();
          return info;
        },
      },
    },
    findAccount: (_ctx, id) => account(id),
    extraTokenClaims: (_ctx, token) => extraClaims(token),
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    ttl: {
      AccessToken: (_ctx, token) => token.resourceServer.accessTokenTTL,
      ClientCredentials: (_ctx, token) => token.resourceServer.accessTokenTTL,
      AuthorizationCode: MINUTES,
      Grant: 10 * MINUTES,
      IdToken: 10 * MINUTES,
      Interaction: 10 * MINUTES,
      Session: 10 * MINUTES,
    },
  });
  provider.on('server_error', (_ctx, error) => console.error(error));
  return provider;
}

/** Logs in the account that `login_hint` names, and consents to all that is asked for. */
export async function interact(provider, request, response) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    const login = { accountId: params.login_hint };
    await provider.interactionFinished(request, response, { login });
    return;
  }
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  const { missingOIDCScope, missingResourceScopes = {} } = prompt.details;
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
  for (const [resource, scopes] of Object.entries(missingResourceScopes)) {
    grant.addResourceScope(resource, scopes.join(' '));
  }
  const consent = { grantId: await grant.save() };
  await provider.interactionFinished(request, response, { consent });
}
