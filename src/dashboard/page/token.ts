const KEPT = 'tributary-token'

/** What this node asks for, kept as long as the tab is open; '' where none was given. */
export const token = {
  get: (): string => sessionStorage.getItem(KEPT) ?? '',
  set: (text: string): void => sessionStorage.setItem(KEPT, text)
}
