; Captures: what connectors/code/definitions.py says.

(class_definition
  name: (identifier) @name
  body: (block) @body) @definition.class

(function_definition
  name: (identifier) @name
  body: (block) @body) @definition.function

(decorated_definition) @wrapper

(module . (comment)* . (expression_statement (string) @file))
(block . (comment)* . (expression_statement (string) @docstring))

(comment) @comment
(decorator) @lead

(call function: (identifier) @callee)
(call function: (attribute attribute: (identifier) @callee) @dotted)

(ERROR) @error
(MISSING) @error
