/** XMLHttpRequest as far as uploads need it, over Node's own fetch: what a browser would do on this line. */
export class Xhr {
  status = 0
  responseText = ''
  onload: () => void = () => undefined
  onerror: (event: unknown) => void = () => undefined
  readonly upload: { onprogress: ((event: unknown) => void) | null } = { onprogress: null }
  private readonly headers = new Headers()
  private answer: Headers | null = null
  private method = ''
  private url = ''
  private readonly controller = new AbortController()

  open(method: string, url: string): void {
    this.method = method
    this.url = url
  }
  setRequestHeader(name: string, value: string): void {
    this.headers.set(name, value)
  }
  getResponseHeader(name: string): string | null {
    return this.answer?.get(name) ?? null
  }
  abort(): void {
    this.controller.abort()
  }
  send(body: Blob | null): void {
    const how: RequestInit = { method: this.method, headers: this.headers, signal: this.controller.signal }
    if (body) how.body = body
    fetch(this.url, how).then(
      async (response) => {
        const text = await response.text()
        Object.assign(this, { status: response.status, responseText: text, answer: response.headers })
        this.onload()
      },
      (error: unknown) => this.onerror(error),
    )
  }
}
