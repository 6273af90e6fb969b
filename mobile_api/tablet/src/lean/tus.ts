/** tus-js-client without what others need of it: streams, files of other frameworks, addresses kept in clear. */
import type { Upload, UploadOptions } from 'tus-js-client'
import HttpStack from 'tus-js-client/lib.esm/browser/httpStack.js'
import BaseUpload from 'tus-js-client/lib.esm/upload.js'

const fileReader = {
  openFile: (file: Blob) =>
    Promise.resolve({
      size: file.size,
      slice: (start: number, end: number) => Promise.resolve({ value: file.slice(start, end), done: end >= file.size }),
      close: () => undefined,
    }),
}

/** An upload of bytes that are at hand; where it stands is remembered by its caller. */
export const uploadOf = (file: Blob, options: UploadOptions): Upload =>
  new BaseUpload(file, {
    ...BaseUpload.defaultOptions,
    httpStack: new HttpStack({}),
    fileReader,
    fingerprint: () => Promise.resolve(''),
    ...options,
  })
