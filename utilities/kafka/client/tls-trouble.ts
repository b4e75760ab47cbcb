/** What can go wrong with TLS between this process and Kafka, in words for a person: trying again mends none of it. */

export type TlsTrouble = { readonly what: (place: string) => string; readonly todo: string }

const untrusted: TlsTrouble = {
  what: (place) => `the certificate of Kafka at ${place} is signed by an authority that is not trusted here`,
  todo: "Name the authority's certificate (PEM) as caFile in the log's auth, or add it to this system's.",
}

const wantsCertificate: TlsTrouble = {
  what: (place) => `Kafka at ${place} wants a certificate of this process, or did not accept the one it got`,
  todo: "Name certFile and keyFile in the log's auth, signed by an authority that the brokers trust and not expired.",
}

const noTls: TlsTrouble = {
  what: (place) => `Kafka at ${place} speaks no TLS at this port`,
  todo: 'Give the brokers\' TLS port, or set the log\'s auth to a kind without TLS (for scram: "tls": false).',
}

const inTime = (word: string): TlsTrouble => ({
  what: (place) => `the certificate of Kafka at ${place} ${word}`,
  todo: 'Whoever runs Kafka must renew it; if it is good, set the clock of this machine.',
})

/** By the codes of Node and OpenSSL. */
const troubles: { readonly [code: string]: TlsTrouble } = {
  CERT_HAS_EXPIRED: inTime('has expired'),
  CERT_NOT_YET_VALID: inTime('is not valid yet'),
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  CERT_SIGNATURE_FAILURE: untrusted,
  CERT_UNTRUSTED: untrusted,
  ERR_TLS_CERT_ALTNAME_INVALID: {
    what: (place) => `the certificate of Kafka at ${place} is for another name`,
    todo: 'Use in brokers the names that the certificate has, and let the brokers advertise those.',
  },
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
  ERR_SSL_RECORD_LAYER_FAILURE: noTls,
}

/** The broker's word on our certificate; its spelling differs between versions of OpenSSL. */
const alert = /^ERR_SSL_.*_ALERT_(BAD_CERTIFICATE|CERTIFICATE_\w+|UNSUPPORTED_CERTIFICATE|UNKNOWN_CA|HANDSHAKE_FAILURE|ACCESS_DENIED)$/

/** undefined when the trouble is none of TLS. */
export function tlsTrouble(error: unknown): TlsTrouble | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  if (typeof code !== 'string') return undefined
  return alert.test(code) ? wantsCertificate : Object.hasOwn(troubles, code) ? troubles[code] : undefined
}
