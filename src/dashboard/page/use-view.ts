import { useEffect, useState } from 'preact/hooks'
import { VIEWS, type View } from './views.tsx'

const asked = (): View => VIEWS.find(({ path }) => path === location.hash.slice(1)) ?? VIEWS[0]

/** The view that the address names, as it changes: back and forward lead from view to view. */
export const useView = (): View => {
  const [view, setView] = useState(asked)
  useEffect(() => {
    const change = () => setView(asked())
    addEventListener('hashchange', change)
    return () => removeEventListener('hashchange', change)
  }, [])
  return view
}
