/** Our own Base64 in place of the one that tus-js-client brings along. */
import { base64, utf8 } from '../core/bytes'

export const Base64 = { encode: (words: string): string => base64(utf8(words)) }
