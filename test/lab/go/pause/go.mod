module asynq-operator.test/lab/pause

go 1.26.0
