(class_definition
  name: (identifier) @name
  body: (block) @body) @definition.class

(function_definition
  name: (identifier) @name
  body: (block) @body) @definition.function

(decorated_definition) @wrapper

(module . (comment)* . (expression_statement (string) @file))
(block . (comment)* . (expression_statement (string) @docstring))

(module (expression_statement (assignment left: (identifier) @constant)))
(class_definition body: (block (expression_statement (assignment left: (identifier) @constant))))

(comment) @comment
(decorator) @lead

(call function: (identifier) @callee)
(call function: (attribute attribute: (identifier) @callee) @dotted)

(ERROR) @error
(MISSING) @error
