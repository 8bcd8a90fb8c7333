/** What the server has counted. */

/** Totals since the start. */
export interface ServerCounts {
  udpQueries: number;
  tcpQueries: number;
  tlsQueries: number;
  /** Connections over TLS not let in: no TLS 1.3, no ALPN `dot`, no handshake in time. */
  tlsRefused: number;
  /** Messages not answered: responses, and octets too few for a header. */
  ignored: number;
  /** UDP answers not sent, because their prefix had its share. */
  rateDropped: number;
  /** UDP answers sent truncated for that reason. */
  rateTruncated: number;
  /** Signed requests whose key, signature or time was wrong. */
  signatureFaults: number;
  /** Answers that failed by a fault of ours. */
  failures: number;
  transfers: number;
  transfersRefused: number;
  /** Transfers cut off: the client went, or stopped reading. */
  transfersBroken: number;
  transferOctets: number;
  /** Transfers not sent because too many ran. */
  transfersPutOff: number;
}

/** Nothing counted yet. */
export function noCounts(): ServerCounts {
  return {
    udpQueries: 0,
    tcpQueries: 0,
    tlsQueries: 0,
    tlsRefused: 0,
    ignored: 0,
    rateDropped: 0,
    rateTruncated: 0,
    signatureFaults: 0,
    failures: 0,
    transfers: 0,
    transfersRefused: 0,
    transfersBroken: 0,
    transferOctets: 0,
    transfersPutOff: 0,
  };
}
