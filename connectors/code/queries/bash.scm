(function_definition name: (_) @name body: (_) @body) @definition.function

(program (variable_assignment name: (_) @constant))
(program (declaration_command (variable_assignment name: (_) @constant)))

(comment) @comment

(command name: (command_name (word) @callee))

(ERROR) @error
(MISSING) @error
