/** What pages carry in few bytes: `page/unpacked.ts` reads it. @module */

import { gzipSync } from "node:zlib";

/** A text as gzip in base64. */
export const packed = (text: string): string => gzipSync(text).toBase64();
