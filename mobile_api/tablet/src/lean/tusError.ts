/** What goes wrong with an upload, without the words that tus-js-client puts together for a log that nobody keeps here. */
export default class DetailedError extends Error {
  constructor(
    message: string,
    readonly causingError: unknown = null,
    readonly originalRequest: unknown = null,
    readonly originalResponse: unknown = null,
  ) {
    super(message)
  }
}
