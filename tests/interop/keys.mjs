// The signing keys, one ring an algorithm, and the ways in which real servers replace them.

import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';

const GENERATORS = {
  RS256: ['rsa', { modulusLength: 2048 }],
  PS256: ['rsa', { modulusLength: 2048 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  EdDSA: ['ed25519', {}],
  Ed25519: ['ed25519', {}],
};

export const ALGORITHMS = Object.keys(GENERATORS);

/** A key of the API's own for each algorithm, to prove itself with: the private ones as PEM, the public ones as JWK. */
export async function clientKeys(algorithms) {
  const pairs = algorithms.map(async (algorithm) => {
    const { privateKey, publicKey } = await promisify(generateKeyPair)(...GENERATORS[algorithm]);
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' });
    return [algorithm, pem, publicKey.export({ format: 'jwk' })];
  });
  const generated = await Promise.all(pairs);
  return {
    pems: Object.fromEntries(generated.map(([algorithm, pem]) => [algorithm, pem])),
    publicKeys: Object.fromEntries(generated.map(([algorithm, , jwk]) => [algorithm, jwk])),
  };
}

let serial = 0;

async function generate(algorithm) {
  const { privateKey } = await promisify(generateKeyPair)(...GENERATORS[algorithm]);
  serial += 1;
  const kid = `${algorithm.toLowerCase()}-${process.pid}-${serial}`;
  return { ...privateKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' };
}

export class KeyRings {
  // Within a ring the first key signs: oidc-provider takes the first that fits.
  #rings = new Map();

  static async generated() {
    const rings = new KeyRings();
    await rings.apply('rotate', ALGORITHMS);
    return rings;
  }

  async apply(action, algorithms) {
    const step = STEPS[action];
    if (!step) throw new Error(`unknown key action: ${action}`);
    await Promise.all(
      algorithms.map(async (algorithm) => {
        const ring = this.#rings.get(algorithm) ?? [];
        this.#rings.set(algorithm, await step(ring, algorithm));
      }),
    );
  }

  /** Private keys included: this is what oidc-provider signs with; it publishes the public halves. */
  jwks() {
    return { keys: [...this.#rings.values()].flat() };
  }

  describe() {
    const kids = (ring) => ring.map((key) => key.kid);
    return Object.fromEntries([...this.#rings].map(([algorithm, ring]) => [algorithm, kids(ring)]));
  }
}

const STEPS = {
  /** A new key takes the place of all others at once: what a server does after a leak. */
  rotate: async (_ring, algorithm) => [await generate(algorithm)],
  /** A new key is published beside the old, which still signs. */
  publish: async (ring, algorithm) => [...ring, await generate(algorithm)],
  /** The newest key signs; the others stay published for the tokens they signed. */
  promote: (ring) => [ring.at(-1), ...ring.slice(0, -1)],
  /** All but the signing key leave. */
  retire: (ring) => ring.slice(0, 1),
};
