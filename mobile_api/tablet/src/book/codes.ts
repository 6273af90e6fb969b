/** What a QR code of the office says: a link that ends in the one-time code, or the code alone. */
const CODE = /^[A-Z2-9]{4}-?[A-Z2-9]{4}$/

/** The enrolment code in a scanned text; null where it is something else. */
export function enrolmentCode(scanned: string): string | null {
  const last = scanned.trim().split('/').at(-1)?.toUpperCase() ?? ''
  return CODE.test(last) ? last : null
}
