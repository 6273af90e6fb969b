import { ageOn, dayOf, timeOf, weekdayOf } from '../core/clock'
import type { Grade, PossibleTime } from '../core/wire'
import { language, t, tc } from '../i18n'

export const date = (day: string): string => {
  const [, month, dayOfMonth] = day.split('-').map(Number)
  const weekday = tc('weekday', String(weekdayOf(day)))
  return language.value === 'zh' ? `${month}月${dayOfMonth}日 ${weekday}` : `${weekday} ${dateLong(day)}`
}

/** 4/6 is the fourth of June to some and the sixth of April to others. */
const inEnglish = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' })

export const dateLong = (day: string): string => {
  const [year, month, dayOfMonth] = day.split('-').map(Number)
  return language.value === 'zh' ? `${year}年${month}月${dayOfMonth}日` : inEnglish.format(new Date(day))
}

export const moment = (at: number): string => `${date(dayOf(at))} ${timeOf(at)}`

export const age = (birthOn: string, at: number): number => ageOn(birthOn, dayOf(at))

export const gradeWord = (grade: Grade | null): string => (grade === null ? t('grade.not_met') : tc('grade', String(grade)))

export const categoryList = (codes: readonly string[]): string =>
  codes.map((code) => tc('category', code)).join(language.value === 'zh' ? '、' : ', ')

export const paperList = (codes: readonly string[]): string =>
  codes.map((code) => tc('paper', code)).join(language.value === 'zh' ? '、' : ', ')

export const kilometres = (km: number): string => t('unit.km', { km: km < 10 ? km.toFixed(1) : Math.round(km) })

/** When a family is at home, in one line. */
export const timeList = (times: readonly PossibleTime[]): string =>
  times
    .map(({ weekday, from, to }) => `${tc('weekday', String(weekday))} ${from}–${to}`)
    .join(language.value === 'zh' ? '、' : ', ') || t('schedule.any_time')

/** Save something as a file of the tablet's own, to be handed on; it names no person. */
export function download(value: object, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([JSON.stringify(value)], { type: 'application/json' }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
