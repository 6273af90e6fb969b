// Uploads one file with tus-js-client as a tablet would, and reports what happened as JSON.
'use strict'

const fs = require('node:fs')
const { createRequire } = require('node:module')

const job = JSON.parse(process.argv[2])
const tus = createRequire(job.modules)('tus-js-client')
const told = { chunks: [], requests: [], url: null, status: null, error: null }

function finish() {
  told.url = upload.url
  process.stdout.write(JSON.stringify(told), () => process.exit(0))
}

const upload = new tus.Upload(fs.readFileSync(job.file), {
  endpoint: job.endpoint,
  uploadUrl: job.uploadUrl ?? null,
  chunkSize: job.chunkSize ?? Infinity,
  uploadDataDuringCreation: job.duringCreation ?? false,
  overridePatchMethod: job.overridePatchMethod ?? false,
  retryDelays: job.retryDelays ?? null,
  metadata: { sha256: job.sha256, type: 'image/jpeg' },
  headers: { Authorization: 'Bearer li' },
  storeFingerprintForResuming: false,
  onAfterResponse(request, response) {
    told.requests.push(`${request.getMethod()} ${response.getStatus()}`)
  },
  onChunkComplete(_size, accepted) {
    told.chunks.push(accepted)
    process.stderr.write(`${accepted}\n`)
    if (accepted >= (job.stopAfter ?? Infinity)) {
      void upload.abort(job.terminate ?? false).then(finish)
    }
  },
  onSuccess: finish,
  onError(error) {
    told.error = error.message
    told.status = error.originalResponse?.getStatus() ?? null
    finish()
  },
})
upload.start()
