/** What the page says, Simplified Chinese first. */
import type { Category } from './credential'
import type { Finding } from './verdict'

export type Language = 'zh' | 'en'

interface Words {
  title: string
  lead: string
  scan: string
  stop: string
  picture: string
  pasteTitle: string
  paste: string
  check: string
  other: string
  looking: string
  noCamera: string
  noCode: string
  findings: Record<Finding, [string, string]>
  facts: { name: string; number: string; disability: string; issued: string; until: string; issuer: string }
  categories: Record<Category, string>
  grades: [string, string, string, string]
  demo: string
  compare: string
  never: string
  insecure: string
  noList: string
  list: (day: string, age: string) => string
  today: string
  days: (count: number) => string
  old: string
  ready: string
  notReady: string
  online: string
}

const zh: Words = {
  title: '扫码查验残疾人证',
  lead: '对准证件上的二维码。打开过本页之后，没有网络也能查验；内容不会离开这台设备。',
  scan: '用摄像头扫码',
  stop: '停止扫码',
  picture: '选择二维码图片',
  pasteTitle: '手工粘贴二维码内容',
  paste: '二维码内容（以 DPC1: 开头）',
  check: '查验',
  other: 'English',
  looking: '请把二维码放在画面中央……',
  noCamera: '无法使用摄像头。请允许使用摄像头，或选择一张二维码图片。',
  noCode: '图片中没有找到二维码。请靠近一些、保持平整，再拍一张。',
  findings: {
    valid: ['由本机关签发，有效', '二维码未被改动，证件在有效期内，不在作废名单上。'],
    unknown: ['由本机关签发', '二维码未被改动，但本设备没有近七天的作废名单，无法判断此后是否已作废。请联网后再查。'],
    expired: ['由本机关签发，但已过期', '请持证人办理换领。'],
    frozen: ['由本机关签发，但已冻结', '目前不能使用，请向签发机关询问。'],
    lost: ['由本机关签发，但已挂失作废', '请勿接受，并告知签发机关。'],
    replaced: ['由本机关签发，但已有新证取代', '请持证人出示新证。'],
    moved: ['由本机关签发，但持证人已迁往外县', '请查看新签发的证件。'],
    cancelled: ['由本机关签发，但已注销', '请勿接受。'],
    not_ours: ['不是本机关签发，或被改动过', '请勿接受。可让持证人出示原件，或致电签发机关。'],
    not_a_code: ['这不是残疾人证的二维码', '请对准证件上的二维码再试一次。'],
  },
  facts: { name: '姓名', number: '证号', disability: '残疾类别与等级', issued: '签发日期', until: '有效期至', issuer: '签发机关' },
  categories: {
    vision: '视力', hearing: '听力', speech: '言语', physical: '肢体',
    intellectual: '智力', mental: '精神', multiple: '多重',
  },
  grades: ['一级', '二级', '三级', '四级'],
  demo: '演示用证件，不具效力。',
  compare: '请与证件上的文字和照片核对。',
  never: '本设备还没有签发机关的公钥。请先联网打开本页一次。',
  insecure: '本页须以 https 打开才能查验。请联系签发机关的管理人员。',
  noList: '还没有作废名单。请联网打开本页一次。',
  list: (day, age) => `作废名单：${day} 签发（${age}）。`,
  today: '今天',
  days: (count) => `${String(count)} 天前`,
  old: '名单较旧，请尽快联网更新。',
  ready: '可离线查验。',
  notReady: '尚未准备好离线使用。',
  online: '其他查验方式（需要网络）',
}

const en: Words = {
  title: 'Check a certificate by its QR code',
  lead: 'Point at the code on the certificate. Once opened, this page checks without network; nothing leaves this device.',
  scan: 'Scan with the camera',
  stop: 'Stop scanning',
  picture: 'Choose a picture of the code',
  pasteTitle: 'Paste the text of the code',
  paste: 'Text of the code (begins with DPC1:)',
  check: 'Check',
  other: '中文',
  looking: 'Hold the code in the middle of the picture…',
  noCamera: 'The camera cannot be used. Allow it, or choose a picture of the code.',
  noCode: 'No code was found in the picture. Go closer, keep it flat, and take another one.',
  findings: {
    valid: ['Ours and valid', 'The code is unchanged, the certificate has not expired and is not on the revocation list.'],
    unknown: ['Ours', 'The code is unchanged, but this device has no revocation list of the last seven days: it may be cancelled since. Go online and check again.'],
    expired: ['Ours, but expired', 'The holder should have it renewed.'],
    frozen: ['Ours, but frozen', 'It cannot be used for the moment; ask the issuer.'],
    lost: ['Ours, but declared lost and void', 'Do not accept it, and tell the issuer.'],
    replaced: ['Ours, but a newer one replaces it', 'Ask the holder for the newer certificate.'],
    moved: ['Ours, but its holder moved to another county', 'Look at the certificate issued there.'],
    cancelled: ['Ours, but cancelled', 'Do not accept it.'],
    not_ours: ['Not ours, or altered', 'Do not accept it. Ask the holder for the original, or call the issuer.'],
    not_a_code: ['This is not the code of a certificate', 'Point at the code on the certificate and try again.'],
  },
  facts: { name: 'Name', number: 'Number', disability: 'Category and grade', issued: 'Issued on', until: 'Valid until', issuer: 'Issuer' },
  categories: {
    vision: 'Vision', hearing: 'Hearing', speech: 'Speech', physical: 'Physical',
    intellectual: 'Intellectual', mental: 'Mental', multiple: 'Multiple',
  },
  grades: ['grade 1', 'grade 2', 'grade 3', 'grade 4'],
  demo: 'A demonstration copy without force.',
  compare: 'Compare it with the words and the photo on the certificate.',
  never: 'This device does not have the issuer’s keys yet. Open this page once with a network.',
  insecure: 'This page checks only when opened by https. Tell the issuer’s administrator.',
  noList: 'No revocation list yet. Open this page once with a network.',
  list: (day, age) => `Revocation list signed on ${day} (${age}).`,
  today: 'today',
  days: (count) => (count === 1 ? '1 day ago' : `${String(count)} days ago`),
  old: 'The list is old; go online soon.',
  ready: 'Works without network.',
  notReady: 'Not ready for use without network yet.',
  online: 'Other ways to check (with a network)',
}

export const WORDS: Record<Language, Words> = { zh, en }
