import type { ComponentChildren } from 'preact'

interface TableProps {
  readonly caption: string
  readonly heads: readonly string[]
  /** On a narrow screen the cells of a row stand below each other, by their `data-head`; or its columns, one for each block, become narrow. */
  readonly kind?: 'stacks' | 'blocks'
  readonly children: ComponentChildren
}

/** Wide ones are moved within themselves, by a keyboard too. */
export const Table = ({ caption, heads, kind, children }: TableProps) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what is wider than the screen is reached by the arrows
  <section class={`scrolls ${kind ?? ''}`} tabIndex={0} aria-label={caption}>
    <table>
      <caption class="hidden">{caption}</caption>
      <thead>
        <tr>
          {heads.map(head => (
            <th key={head} scope="col">
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  </section>
)
