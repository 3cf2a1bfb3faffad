import { readFileSync } from 'node:fs';
import { z } from 'zod';

/**
 * The shape of `behaviors.json` and `headers.json`, in CloudFront's own terms. Strict: a key that
 * is not known here is an error, because whatever reads the files would silently do without it.
 */
const seconds = z.int().min(0).max(31_536_000);

const serviceOrigin = z.strictObject({
  Service: z.enum(['intake', 'identity', 'results', 'records', 'portal']),
  ConnectionAttempts: z.literal(1),
  ConnectionTimeout: z.int().min(1).max(10),
  OriginReadTimeout: z.int().min(1).max(120),
  OriginKeepaliveTimeout: z.int().min(1).max(120),
});

const staticOrigin = z.strictObject({
  Directory: z.string(),
  Files: z.record(z.string().startsWith('/'), z.string()),
});

const queryStrings = z.strictObject({ QueryStringBehavior: z.enum(['none', 'all']) });
const cookies = z.strictObject({ CookieBehavior: z.enum(['none', 'all']) });

const cachePolicy = z.strictObject({
  MinTTL: seconds,
  DefaultTTL: seconds,
  MaxTTL: seconds,
  QueryStringsConfig: queryStrings,
  CookiesConfig: z.strictObject({ CookieBehavior: z.literal('none') }),
  HeadersConfig: z.strictObject({ HeaderBehavior: z.literal('none') }),
});

const originRequestPolicy = z.strictObject({
  HeadersConfig: z.strictObject({
    HeaderBehavior: z.enum(['none', 'whitelist', 'allViewerAndWhitelistCloudFront']),
    Headers: z.array(z.string()).max(10),
  }),
  CookiesConfig: cookies,
  QueryStringsConfig: queryStrings,
});

const methods = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'] as const;

const behavior = z.strictObject({
  /** `*` stands for any characters, `/` too. `?` is not used, so that reading stays easy. */
  PathPattern: z.string().regex(/^(\/[\w./*-]*|\*)$/),
  /** The same behaviour again under `/r/{region}`, once a region, at that region's origin. */
  RegionPinned: z.boolean().default(false),
  AllowedMethods: z.array(z.enum(methods)).min(2),
  /** `home/NAME`: home region. `group/NAME`: origin group of the first two. `NAME`: no region. */
  TargetOriginId: z.string().regex(/^((home|group)\/)?[a-z-]+$/),
  CachePolicy: z.string(),
  OriginRequestPolicy: z.string(),
  ResponseHeadersPolicy: z.string(),
});

const distribution = z.strictObject({
  /** Seconds for which an error of a cacheable address is answered without asking again. */
  ErrorCachingMinTTL: seconds,
  Behaviors: z.array(behavior).min(1),
});

const behaviorsFile = z.strictObject({
  Origins: z.record(z.string(), z.union([serviceOrigin, staticOrigin])),
  OriginGroups: z.strictObject({
    FailoverCriteria: z.strictObject({
      // What CloudFront offers, less 4xx: a refusal is an answer, not a fault of the region.
      StatusCodes: z.array(z.literal([500, 502, 503, 504])),
    }),
  }),
  CachePolicies: z.record(z.string(), cachePolicy),
  OriginRequestPolicies: z.record(z.string(), originRequestPolicy),
  Distributions: z.strictObject({
    vote: distribution,
    results: distribution,
    portal: distribution,
  }),
});

const override = { Override: z.boolean() };

const responseHeadersPolicy = z.strictObject({
  SecurityHeadersConfig: z.strictObject({
    StrictTransportSecurity: z
      .strictObject({
        AccessControlMaxAgeSec: z.int().min(0),
        IncludeSubdomains: z.boolean(),
        Preload: z.boolean(),
        ...override,
      })
      .optional(),
    ContentTypeOptions: z.strictObject(override).optional(),
    FrameOptions: z
      .strictObject({ FrameOption: z.enum(['DENY', 'SAMEORIGIN']), ...override })
      .optional(),
    ReferrerPolicy: z.strictObject({ ReferrerPolicy: z.string(), ...override }).optional(),
    ContentSecurityPolicy: z
      .strictObject({ ContentSecurityPolicy: z.string(), ...override })
      .optional(),
  }),
  CustomHeadersConfig: z.strictObject({
    Items: z.array(z.strictObject({ Header: z.string(), Value: z.string(), ...override })).max(10),
  }),
  CorsConfig: z
    .strictObject({
      AccessControlAllowOrigins: z.tuple([z.literal('*')]),
      AccessControlAllowMethods: z.array(z.enum(methods)),
      AccessControlAllowCredentials: z.literal(false),
      OriginOverride: z.literal(true),
    })
    .optional(),
});

const headersFile = z.strictObject({
  ResponseHeadersPolicies: z.record(z.string(), responseHeadersPolicy),
});

export type BehaviorData = z.infer<typeof behavior>;
export type CachePolicy = z.infer<typeof cachePolicy>;
export type OriginRequestPolicy = z.infer<typeof originRequestPolicy>;
export type ResponseHeadersPolicy = z.infer<typeof responseHeadersPolicy>;
export type ServiceOrigin = z.infer<typeof serviceOrigin>;
export type StaticOrigin = z.infer<typeof staticOrigin>;
export type DistributionName = keyof EdgeConfig['Distributions'];
export type EdgeConfig = z.infer<typeof behaviorsFile> & z.infer<typeof headersFile>;

/** Reads both files. Throws an Error naming the file and every key that is wrong. */
export function readEdgeConfig(folder: URL = new URL('.', import.meta.url)): EdgeConfig {
  return {
    ...readFile(new URL('behaviors.json', folder), behaviorsFile),
    ...readFile(new URL('headers.json', folder), headersFile),
  };
}

function readFile<T>(file: URL, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (parsed.success) return parsed.data;
  throw new Error(`${file.pathname} is not usable:\n${z.prettifyError(parsed.error)}`);
}
