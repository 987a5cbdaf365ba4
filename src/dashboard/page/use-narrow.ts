import { useEffect, useState } from 'preact/hooks'

/** Whether the page is as narrow as on a phone; as in page.css. */
export const useNarrow = (): boolean => {
  const [query] = useState(() => matchMedia('(max-width: 40rem)'))
  const [isNarrow, setNarrow] = useState(query.matches)
  useEffect(() => {
    const look = (): void => setNarrow(query.matches)
    query.addEventListener('change', look)
    return () => query.removeEventListener('change', look)
  }, [])
  return isNarrow
}
