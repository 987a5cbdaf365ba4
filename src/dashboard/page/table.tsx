import type { ComponentChildren } from 'preact'

interface TableProps {
  readonly caption: string
  readonly heads: readonly string[]
  /** On a narrow screen its rows stand below each other. */
  readonly stacks?: boolean
  readonly children: ComponentChildren
}

/** Wide ones are moved within themselves, by a keyboard too. */
export const Table = ({ caption, heads, stacks = false, children }: TableProps) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what is wider than the screen is reached by the arrows
  <section class={`scrolls ${stacks ? 'stacks' : ''}`} tabIndex={0} aria-label={caption}>
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
