/** How much one request may ask for, how often, and how long it may take: what stands where the config says nothing. */

export type Limits = {
  /** Of a body. */
  readonly bodyBytes: number
  /** Rows of one request. */
  readonly keys: number
  /** Rows of one request times its features. */
  readonly values: number
  /** Of each caller: by its token or, without tokens, its address. */
  readonly requestsPerSecond: number
}

/** What no config changes: headers and bodies that come in drops, and connections that nobody uses, are cut off. */
export const patience = {
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 1_000,
} as const

/** So long those who are being answered have when the server stops. */
export const stopWithinMs = 10_000
