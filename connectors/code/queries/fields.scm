; Fields of a class that hold a function; TypeScript calls them otherwise.

(field_definition property: (_) @name value: (arrow_function body: (_) @body)) @definition.method
