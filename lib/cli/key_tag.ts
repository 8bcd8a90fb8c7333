/** Key tags of DNSKEY records. Pure. Spec: RFC 4034 appendix B. */

/** Algorithm 1, RSA/MD5, has a tag of its own making (RFC 4034 appendix B.1). */
const RSAMD5 = 1;

/** The tag by which a DS record names a key. */
export function keyTag(rdata: Uint8Array): number {
  if (rdata[3] === RSAMD5) return rdata[rdata.length - 3] << 8 | rdata[rdata.length - 2];
  let sum = 0;
  for (let at = 0; at < rdata.length; at++) sum += at & 1 ? rdata[at] : rdata[at] << 8;
  return (sum + (sum >>> 16)) & 0xffff;
}
