import { reactive } from 'vue'

/** Where the screen is: `#/visit/<id>`. The part after # never leaves the tablet. */
export const route = reactive({ name: 'today', id: '' })

function follow(): void {
  const [, name = '', id = ''] = location.hash.split('/')
  route.name = name || 'home'
  route.id = id
  window.scrollTo(0, 0)
}

export const href = (name: string, id = ''): string => `#/${name}${id && `/${id}`}`

/** Go on from a screen that is done with: "back" leads into no form that stands there empty, as if nothing had been said. */
export const go = (name: string, id = ''): void => location.replace(href(name, id))

window.addEventListener('hashchange', follow)
follow()
