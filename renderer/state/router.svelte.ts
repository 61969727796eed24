import { hrefOf, parseRoute, type Route } from './route.ts'

/** Where the person is. The address is the only truth, so that back, forward and reload work as everywhere. */
export class RouterState {
  readonly #window: Window
  #route = $state.raw<Route>({ page: 'home' })

  constructor(window: Window) {
    this.#window = window
    this.#route = parseRoute(window.location.hash)
    window.addEventListener('hashchange', () => (this.#route = parseRoute(window.location.hash)))
  }

  get route(): Route {
    return this.#route
  }

  go(route: Route): void {
    this.#window.location.hash = hrefOf(route)
  }
}
