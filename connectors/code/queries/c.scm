; Definitions and calls that C and C++ share.

(function_definition
  declarator: [
    (function_declarator declarator: (identifier) @name)
    (pointer_declarator declarator: (function_declarator declarator: (identifier) @name))
    (pointer_declarator declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @name)))
  ]
  body: (_) @body) @definition.function

(declaration
  declarator: [
    (function_declarator declarator: (identifier) @name)
    (pointer_declarator declarator: (function_declarator declarator: (identifier) @name))
    (pointer_declarator declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @name)))
  ]) @definition.prototype

(type_definition type: (struct_specifier name: (_) @name body: (_) @body)) @definition.struct
(struct_specifier name: (_) @name body: (_) @body) @definition.struct
(type_definition type: (union_specifier name: (_) @name body: (_) @body)) @definition.union
(union_specifier name: (_) @name body: (_) @body) @definition.union
(type_definition type: (enum_specifier name: (_) @name body: (_) @body)) @definition.enum
(enum_specifier name: (_) @name body: (_) @body) @definition.enum

(type_definition
  type: (struct_specifier !name body: (_) @body)
  declarator: (type_identifier) @name) @definition.struct
(type_definition
  type: (union_specifier !name body: (_) @body)
  declarator: (type_identifier) @name) @definition.union
(type_definition
  type: (enum_specifier !name body: (_) @body)
  declarator: (type_identifier) @name) @definition.enum

(preproc_function_def name: (_) @name) @definition.macro

(preproc_def name: (_) @constant)
(enumerator name: (_) @constant)
(type_definition declarator: (type_identifier) @constant)
(type_definition declarator: (function_declarator declarator: (parenthesized_declarator (pointer_declarator declarator: (type_identifier) @constant))))
(translation_unit (declaration declarator: (init_declarator declarator: (identifier) @constant)))

(comment) @comment
(translation_unit . (comment) @file)

(call_expression function: (identifier) @callee)
(call_expression function: (field_expression field: (field_identifier) @callee) @dotted)

(ERROR) @error
(MISSING) @error
