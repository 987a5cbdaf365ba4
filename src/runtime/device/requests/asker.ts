/** Who asks: by a name, which is the same source from wherever it comes, or by the connection on which the request came. */
export type Asker = { readonly name: string } | { readonly connection: object }
