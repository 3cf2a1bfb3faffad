/**
 * The part of AWS's WAFv2 JSON that is modelled (API casing). A rule that says more is refused by
 * name when it is compiled; nothing is skipped.
 */
export interface CustomResponse {
  readonly ResponseCode: number;
  readonly CustomResponseBodyKey?: string;
  readonly ResponseHeaders?: readonly { readonly Name: string; readonly Value: string }[];
}

export type Json = Readonly<Record<string, unknown>>;

export interface WebAcl {
  readonly Name: string;
  readonly DefaultAction: Json;
  readonly Rules: readonly Json[];
  readonly CustomResponseBodies: Readonly<Record<string, ResponseBody>>;
}

export interface ResponseBody {
  readonly ContentType: 'APPLICATION_JSON' | 'TEXT_HTML' | 'TEXT_PLAIN';
  readonly Content: string;
}

/** What a request is judged by. Grows with the statements that are modelled. */
export interface JudgedRequest {
  /** The TCP peer, in text form. */
  readonly address: string;
  /** Stands for `${awswaf:request_id:}` in a custom response. */
  readonly requestId: string;
  /** When the request came: milliseconds, never going back. */
  readonly atMs: number;
}

export type Verdict =
  | { readonly action: 'Allow' }
  | {
      readonly action: 'Block';
      readonly ruleName: string;
      readonly status: number;
      /** Flat name, value, … */
      readonly headers: readonly string[];
      readonly body: string;
    };

/** AWS knows this key or value and this evaluator does not: the rule set cannot be trusted here. */
export class NotModelledError extends Error {
  constructor(ruleName: string, what: string) {
    super(`rule ${ruleName}: ${what} is not modelled`);
    this.name = 'NotModelledError';
  }
}
