import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { errors, type JWTHeaderParameters, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { type Strength, strengths } from '#common/contracts/ballot-token.ts';
import { ServiceError } from '#common/errors.ts';
import type { SigningKey } from '#common/keys.ts';

/** Who is logged in, for an hour. A JWT as RFC 9068 describes it, signed with EdDSA. */
export interface AccessClaims {
  /** The user id. */
  readonly sub: string;
  /** The voter id, base64url. */
  readonly vid: string;
  /** Whether an e-mail of this account was verified. */
  readonly verified: boolean;
  /** How strongly the login identified its user. */
  readonly acr: Strength;
  /** The login, never a voting session. */
  readonly session_id: string;
  /** Seconds since the epoch, as `exp`. */
  readonly iat: number;
  readonly exp: number;
  readonly jti: string;
}

export const accessLifetimeS = 3600;
const issuer = 'vote';
const audience = 'vote';
const tokenType = 'at+jwt';

/** Longest token looked at, in characters: a real one has about 500. */
const accessTokenLengthMax = 2048;

const claimsSchema = z.object({
  sub: z.uuid(),
  vid: z.string().regex(/^[\w-]{43}$/),
  verified: z.boolean(),
  acr: z.enum(strengths),
  session_id: z.uuid(),
  iat: z.int(),
  exp: z.int(),
  jti: z.string().regex(/^[\w-]{22}$/),
});

/** The claims of a token given now: a new `jti` of 128 random bits, an hour to live. */
export function newAccessClaims(
  login: Pick<AccessClaims, 'sub' | 'vid' | 'verified' | 'acr' | 'session_id'>,
  nowMs: number,
): AccessClaims {
  const iat = Math.floor(nowMs / 1000);
  const jti = randomBytes(16).toString('base64url');
  return { ...login, iat, exp: iat + accessLifetimeS, jti };
}

/**
 * Signs the claims as they are, with our issuer and audience; make them with `newAccessClaims`, or
 * the verifier may not take them.
 */
export function signAccessToken(claims: AccessClaims, key: SigningKey): Promise<string> {
  return new SignJWT({ ...claims, iss: issuer, aud: audience })
    .setProtectedHeader({ alg: 'EdDSA', kid: key.kid, typ: tokenType })
    .sign(key.privateKey);
}

/** Resolves with the claims at `nowMs`, ms of a wall clock; rejects with `invalid_token`. */
export type AccessVerifier = (token: string, nowMs: number) => Promise<AccessClaims>;

/**
 * Verifies against preloaded keys only: one algorithm, one type, our issuer and audience, every
 * claim present. A key that the token names or brings along (jku, x5u, jwk) is never fetched or
 * used. The function throws `invalid_token`; revocation is the caller's question.
 */
export function createAccessVerifier(keys: readonly SigningKey[]): AccessVerifier {
  const publicKeys = new Map(keys.map((key) => [key.kid, createPublicKey(key.privateKey)]));
  const findKey = (header: JWTHeaderParameters): KeyObject => {
    const key = publicKeys.get(header.kid ?? '');
    if (key === undefined) throw new errors.JWKSNoMatchingKey();
    return key;
  };
  return async (token, nowMs) => {
    if (token.length > accessTokenLengthMax) throw new ServiceError('invalid_token');
    try {
      const { payload } = await jwtVerify(token, findKey, {
        algorithms: ['EdDSA'],
        typ: tokenType,
        issuer,
        audience,
        requiredClaims: ['sub', 'exp', 'iat', 'jti'],
        maxTokenAge: accessLifetimeS,
        currentDate: new Date(nowMs),
        // Two regions' clocks differ by less; a token made in one must be good in the other at
        // once.
        clockTolerance: 2,
      });
      return claimsSchema.parse(payload);
    } catch (cause) {
      throw new ServiceError('invalid_token', { cause });
    }
  };
}
