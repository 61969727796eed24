/** Where in the app a person is, and the address (`#/runs/…`) that says so. */

/** Pages without anything to choose in them. */
export const PLAIN_PAGES = ['home', 'models', 'adapters', 'studio', 'repair', 'settings'] as const
export type PlainPage = (typeof PLAIN_PAGES)[number]

/** Pages that list things on the left and show one of them on the right. */
export const SHELVES = ['datasets', 'prompts', 'templates', 'rewards'] as const
export type Shelf = (typeof SHELVES)[number]

export type Route =
  | { readonly page: PlainPage }
  /** All runs. */
  | { readonly page: 'runs' }
  /** One run. */
  | { readonly page: 'run'; readonly id: string }
  /** A shelf of things that are edited one at a time, and the one that is open; null for the first. */
  | { readonly page: Shelf; readonly chosen: string | null }
  /** One adapter. */
  | { readonly page: 'adapter'; readonly id: string }
  /** Runs side by side. */
  | { readonly page: 'compare'; readonly ids: readonly string[] }
  /** A new run, for a goal where one was chosen already. */
  | { readonly page: 'train'; readonly goal: string | null }

/** The route of an address; Home for whatever is not one of ours. */
export function parseRoute(hash: string): Route {
  const [first = '', second, ...rest] = hash.replace(/^#\/?/, '').split('/').map(decoded)
  if (rest.length > 0) return { page: 'home' }
  if (first === 'runs') return second ? { page: 'run', id: second } : { page: 'runs' }
  if (first === 'adapters' && second) return { page: 'adapter', id: second }
  if (first === 'compare' && second) return { page: 'compare', ids: second.split(',').filter(Boolean) }
  if (first === 'studio' && second === 'repair') return { page: 'repair' }
  if (first === 'train') return { page: 'train', goal: second || null }
  const shelf = SHELVES.find((name) => name === first)
  if (shelf !== undefined) return { page: shelf, chosen: second || null }
  const page = PLAIN_PAGES.find((name) => name === first && name !== 'repair')
  return { page: page !== undefined && second === undefined ? page : 'home' }
}

/** The address of a route, for links. */
export function hrefOf(route: Route): string {
  if (route.page === 'home') return '#/'
  if (route.page === 'repair') return '#/studio/repair'
  if (route.page === 'run') return `#/runs/${encodeURIComponent(route.id)}`
  if (route.page === 'adapter') return `#/adapters/${encodeURIComponent(route.id)}`
  if (route.page === 'compare') return `#/compare/${encodeURIComponent(route.ids.join(','))}`
  if (route.page === 'train' && route.goal !== null) return `#/train/${encodeURIComponent(route.goal)}`
  if ('chosen' in route && route.chosen !== null) return `#/${route.page}/${encodeURIComponent(route.chosen)}`
  return `#/${route.page}`
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return ''
  }
}
