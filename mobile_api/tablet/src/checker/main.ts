/** The page: three ways to show it a code, one answer in plain words. */
import './checker.css'
import type { Credential } from './credential'
import { type Knowledge, learn } from './knowledge'
import { readCamera, readPicture } from './scan'
import { ageOf, judge, OLD_DAYS, type Verdict } from './verdict'
import { type Language, WORDS } from './words'

/** A page stays open for weeks, as at a counter: it asks again what was cancelled since. */
const FRESH_MS = 3_600_000
const SIGNS = { good: '✓', care: '!', bad: '✕' }

const find = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T
/** Hidden in the private windows of some browsers. */
const workers = 'serviceWorker' in navigator ? navigator.serviceWorker : undefined
let language: Language = navigator.language.startsWith('zh') || !navigator.language ? 'zh' : 'en'
let known: Knowledge | undefined
let askedAt = 0
let shown: Verdict | undefined
let scanning: AbortController | undefined

function say(): void {
  const words = WORDS[language]
  document.documentElement.lang = language === 'zh' ? 'zh-Hans' : 'en'
  document.title = words.title
  for (const place of document.querySelectorAll<HTMLElement>('[data-say]')) {
    const said = words[place.dataset['say'] as keyof typeof words]
    if (typeof said === 'string') place.textContent = said
  }
  find('other').lang = language === 'zh' ? 'en' : 'zh-Hans'
  tellKnowledge()
  if (shown) tell(shown)
}

function tellKnowledge(): void {
  if (!window.isSecureContext) return
  const words = WORDS[language]
  const place = find('known')
  if (known === undefined) {
    place.textContent = words.never
    return
  }
  const offline = workers?.controller && known.isKept ? words.ready : words.notReady
  const age = known.list ? ageOf(known.list, new Date()) : 0
  const list = known.list
    ? words.list(day(known.list.signedAt), age === 0 ? words.today : words.days(age)) + (age > OLD_DAYS ? words.old : '')
    : words.noList
  place.textContent = `${known.issuer} · ${offline} ${list}`
}

function day(moment: Date): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Shanghai' }).format(moment)
}

async function check(text: string | undefined): Promise<void> {
  const words = WORDS[language]
  if (text === undefined) {
    note(words.noCode)
    return
  }
  if (!window.isSecureContext) return
  if (known === undefined || Date.now() - askedAt > FRESH_MS) await learnAnew()
  if (known === undefined) {
    note(words.never)
    return
  }
  note('')
  tell(await judge(text, known, new Date()))
  find('answer').focus()
}

async function learnAnew(): Promise<void> {
  askedAt = Date.now()
  known = (await learn()) ?? known
  tellKnowledge()
}

function note(text: string): void {
  find('note').textContent = text
}

function tell(verdict: Verdict): void {
  shown = verdict
  const words = WORDS[language]
  const [title, advice] = words.findings[verdict.finding]
  const answer = find('answer')
  answer.hidden = false
  answer.className = `answer answer--${verdict.tone}`
  find('sign').textContent = SIGNS[verdict.tone]
  find('finding').textContent = title
  find('advice').textContent = advice
  find('demo').hidden = verdict.credential?.demo !== true
  find('facts').replaceChildren(...(verdict.credential ? facts(verdict.credential) : []))
  find('compare').hidden = verdict.credential === undefined
}

function facts(credential: Credential): HTMLElement[] {
  const words = WORDS[language]
  const disability = `${words.categories[credential.category]} · ${words.grades[credential.grade - 1] ?? ''}`
  const rows: [string, string][] = [
    [words.facts.name, credential.name],
    [words.facts.number, credential.number],
    [words.facts.disability, disability],
    [words.facts.issued, day(credential.issuedAt)],
    [words.facts.until, day(credential.expiresAt)],
    [words.facts.issuer, credential.issuer],
  ]
  return rows.map(([label, value]) => {
    const row = document.createElement('div')
    const term = document.createElement('dt')
    const said = document.createElement('dd')
    term.textContent = label
    said.textContent = value
    row.append(term, said)
    return row
  })
}

async function scan(): Promise<void> {
  scanning = new AbortController()
  document.body.classList.add('scanning')
  note(WORDS[language].looking)
  try {
    const text = await readCamera(find<HTMLVideoElement>('video'), scanning.signal)
    note('')
    if (text !== undefined) await check(text)
  } catch {
    note(WORDS[language].noCamera)
  } finally {
    document.body.classList.remove('scanning')
  }
}

async function openPicture(file: File | undefined): Promise<void> {
  if (file === undefined) return
  try {
    await check(await readPicture(file))
  } catch {
    note(WORDS[language].noCode) // a file that is no picture
  }
}

find('other').addEventListener('click', () => {
  language = language === 'zh' ? 'en' : 'zh'
  say()
})
find('scan').addEventListener('click', () => void scan())
find('stop').addEventListener('click', () => scanning?.abort())
find<HTMLInputElement>('picture').addEventListener('change', (event) => {
  const field = event.target as HTMLInputElement
  void openPicture(field.files?.[0]).then(() => (field.value = ''))
})
find<HTMLFormElement>('paste-form').addEventListener('submit', (event) => {
  event.preventDefault()
  void check(find<HTMLTextAreaElement>('paste').value)
})

async function begin(): Promise<void> {
  say()
  if (!window.isSecureContext) {
    note(WORDS[language].insecure)
    return
  }
  workers?.addEventListener('controllerchange', tellKnowledge)
  void workers?.register('sw.js').catch(() => undefined)
  await learnAnew()
  document.body.dataset['ready'] = 'yes'
}

void begin()
