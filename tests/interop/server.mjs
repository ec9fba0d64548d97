// A real authorization server on a free loopback port, with a control endpoint for what only its operator can do:
// replace keys, be unreachable, be slow. Prints one line of JSON when ready.
//
//   GET  /control/keys                                        -> kids by algorithm, the signing one first
//   POST /control/keys {"action", "algorithms"?}              rotate | publish | promote | retire
//   POST /control/jwks {"up"?, "delay_ms"?, "max_age"?}       how the keys are served from now on (`up`: discovery too)
//   POST /control/dpop {"nonce"}                             whether a DPoP proof needs a nonce from now on
//   GET  /control/client-keys                                 -> the API's own keys for assertions by algorithm, as PEM
//   GET  /control/counters                                    -> {"jwks", "discovery"}: requests so far
//   POST /control/counters                                    start counting anew

import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

// oidc-provider prints its notices on standard output, which belongs to the line that says we are ready.
console.info = console.error;

const { ALGORITHMS, KeyRings, clientKeys } = await import('./keys.mjs');
const { createProvider, interact } = await import('./provider.mjs');

const keys = await KeyRings.generated();
const client = await clientKeys(['RS256', 'PS256', 'ES256', 'EdDSA']);
// Without `max_age` the key set has no Cache-Control, as oidc-provider serves it.
const answering = { up: true, delay_ms: 0, max_age: undefined };
const dpop = { nonce: false };
const counters = { jwks: 0, discovery: 0 };

let issuer;
let provider;
let answer;

// oidc-provider takes its keys at construction only, so another key set means another provider under the same address.
function install() {
  provider = createProvider(issuer, keys.jwks(), client.publicKeys, dpop);
  answer = provider.callback();
}

const control = {
  'GET /control/keys': () => keys.describe(),
  async 'POST /control/keys'({ action, algorithms = ALGORITHMS }) {
    await keys.apply(action, algorithms);
    install();
    return keys.describe();
  },
  'POST /control/jwks': (settings) => Object.assign(answering, settings),
  'POST /control/dpop': (settings) => Object.assign(dpop, settings),
  'GET /control/client-keys': () => client.pems,
  'GET /control/counters': () => counters,
  'POST /control/counters': () => Object.assign(counters, { jwks: 0, discovery: 0 }),
};

async function handleControl(request, response) {
  const handler = control[`${request.method} ${request.url}`];
  if (!handler) {
    response.writeHead(404).end();
    return;
  }
  const result = await handler(request.method === 'POST' ? await json(request) : undefined);
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result));
}

/** The requests by which a resource server learns keys: counted, and refused or delayed on demand. */
async function handleKeys(request, response) {
  counters[request.url === '/jwks' ? 'jwks' : 'discovery'] += 1;
  if (!answering.up) {
    request.socket.destroy();
    return;
  }
  if (request.url === '/jwks') {
    await sleep(answering.delay_ms);
    if (answering.max_age !== undefined) {
      response.setHeader('cache-control', `public, max-age=${answering.max_age}`);
    }
  }
  await answer(request, response);
}

async function handle(request, response) {
  if (request.url.startsWith('/control/')) return handleControl(request, response);
  if (request.url === '/jwks' || request.url.startsWith('/.well-known/')) return handleKeys(request, response);
  if (request.url.startsWith('/interaction/')) return interact(provider, request, response);
  return answer(request, response);
}

const server = createServer((request, response) => {
  handle(request, response).catch((error) => {
    console.error(error);
    if (!response.headersSent) response.writeHead(500);
    response.end();
  });
});

server.listen(0, '127.0.0.1', () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  install();
  console.log(JSON.stringify({ issuer }));
});

function exit() {
  server.closeAllConnections();
  process.exit(0);
}

// Standard input closes with the process that started this one, however that one ended.
process.stdin.resume().on('close', exit);
process.on('SIGTERM', exit);
