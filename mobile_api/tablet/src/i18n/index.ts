import { ref, watchEffect } from 'vue'
import { en } from './en'
import { zh, type MessageKey } from './zh'

export type Language = 'zh' | 'en'
export type { MessageKey }

const KEPT = 'outreach-language'
const TABLES: Record<Language, Record<MessageKey, string>> = { zh, en }

export const language = ref<Language>(localStorage.getItem(KEPT) === 'en' ? 'en' : 'zh')

// Another window of this tablet may have chosen.
window.addEventListener('storage', ({ key, newValue }) => {
  if (key === KEPT && newValue) language.value = newValue === 'en' ? 'en' : 'zh'
})

watchEffect(() => {
  document.documentElement.lang = language.value === 'zh' ? 'zh-Hans' : 'en'
  localStorage.setItem(KEPT, language.value)
})

/** Say it in the reader's language; `{name}` is filled in. */
export function t(key: MessageKey, words: Record<string, string | number> = {}): string {
  return TABLES[language.value][key].replace(/\{(\w+)\}/g, (_, name: string) => String(words[name] ?? ''))
}

/** A message whose key is made of a code; an unknown code is shown as it is. */
export function tc(prefix: string, code: string, words: Record<string, string | number> = {}): string {
  const key = `${prefix}.${code}`
  return key in zh ? t(key as MessageKey, words) : code
}

/** Pick the language from data that carries both. */
export const pick = (label: { zh: string; en: string }): string => label[language.value]
