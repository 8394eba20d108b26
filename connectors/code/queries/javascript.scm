; Definitions and calls that JavaScript and TypeScript share.

(class_declaration name: (_) @name body: (_) @body) @definition.class

[
  (function_declaration name: (_) @name body: (_) @body)
  (generator_function_declaration name: (_) @name body: (_) @body)
] @definition.function

(method_definition name: (_) @name body: (_) @body) @definition.method

(lexical_declaration
  . (variable_declarator
      name: (identifier) @name
      value: [
        (arrow_function body: (_) @body)
        (function_expression body: (_) @body)
        (generator_function body: (_) @body)
      ]) .) @definition.function

(lexical_declaration
  . (variable_declarator name: (identifier) @name value: (class body: (_) @body)) .) @definition.class

(variable_declaration
  . (variable_declarator
      name: (identifier) @name
      value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) .) @definition.function

(expression_statement
  (assignment_expression
    left: [
      (identifier) @name
      (member_expression object: (identifier) @owner property: (property_identifier) @name)
      (member_expression
        object: (member_expression object: (identifier) @owner)
        property: (property_identifier) @name)
    ]
    right: [(arrow_function body: (_) @body) (function_expression body: (_) @body)])) @definition.function

(pair
  key: (property_identifier) @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @definition.function

(program (lexical_declaration (variable_declarator name: (identifier) @constant)))
(program (export_statement (lexical_declaration (variable_declarator name: (identifier) @constant))))

(export_statement) @declaration

(comment) @comment
(decorator) @lead
(program . (hash_bang_line)* . (comment) @file)

(call_expression function: (identifier) @callee)
(call_expression function: (member_expression property: (property_identifier) @callee) @dotted)
(new_expression constructor: (identifier) @callee)
(new_expression constructor: (member_expression property: (property_identifier) @callee) @dotted)

(ERROR) @error
(MISSING) @error
